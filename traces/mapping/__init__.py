"""From what a framework says of a span to what the console calls it. Pure."""
