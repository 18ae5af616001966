"""A span as the drawer shows it: its texts read for display, its attempts and budgets drawn against the limits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from agentconsole.protocol.envelope import SpanState
from runs.models import Span, TraceEvent
from runs.queries.shapes import text_shape
from runs.queries.source_shapes import MappedShape, mapped_shape
from runs.timeline.text import KeptText, Node, TextPiece, kept_text, pieces_of, tree_of
from runs.timeline.waterfall import end_of, kind_of, word_of
from runs.wording import badge_of, duration_text

_THINNEST = 0.4


@dataclass(frozen=True, slots=True)
class AttemptBar:
    """One try of a call, in percent of the budget's scale."""

    number: int
    outcome: str
    width: str
    took: str
    message: tuple[TextPiece, ...]

    @property
    def role(self) -> str:
        """The colour of its outcome."""
        return badge_of(self.outcome).role


@dataclass(frozen=True, slots=True)
class BudgetScale:
    """Attempts on one scale with the soft and the hard limit."""

    attempts: Sequence[AttemptBar]
    soft: str
    hard: str
    soft_text: str
    hard_text: str


@dataclass(frozen=True, slots=True)
class SpanDetail:
    """A span and what of it is drawn."""

    span: Span
    ended_at: datetime | None
    message: tuple[TextPiece, ...]
    scale: BudgetScale | None
    arguments: KeptText | None
    result: KeptText | None
    attributes: Node | None
    mapped: MappedShape | None

    @property
    def left_out(self) -> str:
        """How many characters of attributes were more than a span may have, with separators; none: nothing."""
        left_out = self.span.cut.get("attributes", {}).get("left_out", 0)
        return f"{left_out:,}" if left_out else ""

    @property
    def kind(self) -> str:
        """What it is, in a word."""
        return kind_of(self.span)

    @property
    def word(self) -> str:
        """What became of it, as its badge has it."""
        return word_of(self.span)

    @property
    def is_open(self) -> bool:
        """Whether somebody is still to decide."""
        return self.span.approval_id is not None and self.span.outcome == SpanState.WAITING


def detail_of(span: Span) -> SpanDetail:
    """What the drawer shows of a span."""
    arguments, result = text_shape(span, "arguments"), text_shape(span, "result")
    return SpanDetail(
        span=span,
        ended_at=end_of(span),
        message=pieces_of(span.message),
        scale=scale_of(span),
        arguments=kept_text(**arguments) if arguments else None,
        result=kept_text(**result) if result else None,
        attributes=tree_of(span.attributes) if span.attributes else None,
        mapped=mapped_shape(span),
    )


@dataclass(frozen=True, slots=True)
class EventDetail:
    """An event and what of it is drawn."""

    event: TraceEvent
    message: tuple[TextPiece, ...]
    fields: Node | None


def event_detail_of(event: TraceEvent) -> EventDetail:
    """What the drawer shows of an event."""
    return EventDetail(event, pieces_of(event.message), tree_of(event.fields) if event.fields else None)


def scale_of(span: Span) -> BudgetScale | None:
    """A call's attempts against its limits; the call itself counts as one where it told of none. None without either."""
    end = end_of(span)
    tries: list[dict[str, Any]] = span.attempts
    if not tries and end is not None and span.hard_ms is not None:
        took = (end - span.started_at) / timedelta(milliseconds=1)
        tries = [{"elapsed_ms": took, "outcome": span.outcome}]
    if not tries:
        return None
    longest = max([*(attempt["elapsed_ms"] for attempt in tries), span.hard_ms or 0, span.soft_ms or 0, 1])
    bars = [
        AttemptBar(
            number=number,
            outcome=attempt["outcome"],
            width=_percent(attempt["elapsed_ms"], longest),
            took=duration_text(attempt["elapsed_ms"]),
            message=pieces_of(attempt.get("message", "")),
        )
        for number, attempt in enumerate(tries, start=1)
    ]
    return BudgetScale(
        attempts=bars,
        soft="" if span.soft_ms is None else _percent(span.soft_ms, longest),
        hard="" if span.hard_ms is None else _percent(span.hard_ms, longest),
        soft_text="" if span.soft_ms is None else duration_text(span.soft_ms),
        hard_text="" if span.hard_ms is None else duration_text(span.hard_ms),
    )


def _percent(part: float, whole: float) -> str:
    return f"{max(part / whole * 100, _THINNEST):.2f}%"
