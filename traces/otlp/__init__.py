"""The OTLP doors: bodies in any encoding become one set of shapes."""
