"""How a run ended that is known from its spans alone: nobody tells its end. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from agentconsole.protocol.envelope import SpanState
from runs.models import RunStatus, SourceNote, SpanKind
from traces.mapping.outcomes import FAILURES

_OPEN = (SpanState.RUNNING, SpanState.WAITING)
_AGENTS = ("agent", "workflow")


@dataclass(frozen=True, slots=True)
class SettledSpan:
    """A span as stored, as far as the end of its run depends on it.

    `is_top`: an agent that no other holds. `is_entry`: a server's span, whose parent is another process's, and may never come.
    """

    span_id: str
    parent_id: str
    kind: str
    role: str
    name: str
    outcome: str
    message: str
    started_at: datetime
    ended_at: datetime | None
    is_top: bool | None
    is_entry: bool | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The end of a run. `notes` says what a reader must know who thinks that all of it is there."""

    status: RunStatus
    ended_at: datetime
    error: str
    notes: tuple[str, ...]


def is_over(spans: Sequence[SettledSpan]) -> bool:
    """Whether the run's root has ended and no span is open: nothing more is owed."""
    return bool(_roots(spans)) and not has_open(spans)


def _roots(spans: Sequence[SettledSpan]) -> list[SettledSpan]:
    """The spans without a parent; where there is none, those whose parent is another process's and did not come."""
    received = {span.span_id for span in spans}
    roots = [span for span in spans if not span.parent_id]
    return roots or [span for span in spans if span.is_entry and span.parent_id not in received]


def has_open(spans: Sequence[SettledSpan]) -> bool:
    """Whether a span began and did not end."""
    return any(span.ended_at is None and span.outcome in _OPEN for span in spans)


def verdict_of(spans: Sequence[SettledSpan]) -> Verdict:
    """The end that its spans tell, of which there is one at least.

    Never by the root's status alone: an agent may fail under a root that is well. Failed: an outermost agent in error, or the
    head, which is the root or else the earliest span whose parent was not received.
    """
    in_time = sorted(spans, key=lambda span: (span.started_at, span.span_id))
    received = {span.span_id for span in spans}
    roots = _roots(in_time)
    heads = roots or [span for span in in_time if span.parent_id not in received][:1]
    tops = [span for span in in_time if span.is_top]
    failed = next((span for span in (*tops, *heads) if span.outcome in FAILURES and span.kind != SpanKind.TOOL), None)
    notes = {
        SourceNote.ROOT_MISSING: not roots,
        SourceNote.TOOLS_UNREPORTED: _tells_no_tools(spans),
        SourceNote.PERSON_AWAITED: any(span.outcome == SpanState.WAITING for span in spans),
    }
    return Verdict(
        status=RunStatus.FAILED if failed else RunStatus.SUCCEEDED,
        ended_at=max(span.ended_at or span.started_at for span in spans),
        error=": ".join(filter(None, (failed.name, failed.message or failed.outcome))) if failed else "",
        notes=tuple(note.value for note, is_so in notes.items() if is_so),
    )


def _tells_no_tools(spans: Sequence[SettledSpan]) -> bool:
    """Whether an agent used a model and no tool: with some frameworks' instrumentation, tools leave no trace."""
    kinds = {span.kind for span in spans}
    roles = {span.role for span in spans}
    return (
        SpanKind.MODEL in kinds and SpanKind.TOOL not in kinds and not roles.isdisjoint(_AGENTS) and "gate" not in roles
    )
