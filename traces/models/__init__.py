"""The tables of traces."""

from traces.models.leaks import LeakIncident, LeakSource, Severity

__all__ = ["LeakIncident", "LeakSource", "Severity"]
