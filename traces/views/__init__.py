"""Pages that read across runs."""
