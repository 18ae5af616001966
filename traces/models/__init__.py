"""The tables of traces."""

from traces.models.leaks import LeakIncident, LeakSource, Severity
from traces.models.search import LogText, SearchIndex

__all__ = ["LeakIncident", "LeakSource", "LogText", "SearchIndex", "Severity"]
