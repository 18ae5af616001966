"""What Prometheus gets of a web process: `/metrics`, and what is read for it at that moment."""
