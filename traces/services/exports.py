"""An OTLP export becomes rows."""

from runs.models import AgentInstance
from traces.otlp.shapes import Export, ExportOutcome


def store_export(export: Export, *, instance: AgentInstance) -> ExportOutcome:
    """Store what is good of an export. Committed when it returns. BusyError: nothing is stored, send it again."""
    raise NotImplementedError
