"""Pages: access check, then a query or a service, then a template."""
