"""The tables of runs: who works (environments, agents), on what (runs), and a run's log (ticks, spans, events)."""

from runs.models.agents import Agent, AgentInstance, Environment, InstanceBeat
from runs.models.ledger import RefusedItems
from runs.models.log import LOG_TABLES, SPAN_OUTCOMES, PhaseTick, Span, SpanKind, TickState, TraceEvent
from runs.models.run import Run, RunStatus, RunTrace, SourceNote
from runs.models.saved import SavedView

__all__ = [
    "LOG_TABLES",
    "SPAN_OUTCOMES",
    "Agent",
    "AgentInstance",
    "Environment",
    "InstanceBeat",
    "PhaseTick",
    "RefusedItems",
    "Run",
    "RunStatus",
    "RunTrace",
    "SavedView",
    "SourceNote",
    "Span",
    "SpanKind",
    "TickState",
    "TraceEvent",
]
