"""From what a framework says of a span to what the console calls it. Pure."""

from traces.mapping.logs import map_log
from traces.mapping.relating import relate
from traces.mapping.spans import map_span

__all__ = ["map_log", "map_span", "relate"]
