"""From spans in any order to nested rows with bars. The same rules as static/js/run/tree.js, for the page's first rows."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from agentconsole.protocol.envelope import Outcome, SpanState
from runs.models import Span, SpanKind
from runs.timeline.state import Stretch
from runs.wording import badge_of, duration_text

DEEPEST_INDENT = 12
_CLOCK_TOLERANCE = timedelta(milliseconds=5)
_THINNEST = 0.2
APPROVAL = "approval"  # what the console's own spans are, to people
KIND_ICONS: dict[str, str] = {
    SpanKind.SUBAGENT: "bot",
    SpanKind.TOOL: "wrench",
    SpanKind.MODEL: "brain",
    SpanKind.RETRIEVAL: "database",
    SpanKind.STEP: "corner-down-right",
    APPROVAL: "hand",
}


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a bar, in percent of the axis, in the colour of an outcome."""

    x: str
    width: str
    word: str

    @property
    def role(self) -> str:
        """The colour of its outcome."""
        return badge_of(self.word).role


@dataclass(frozen=True, slots=True)
class SpanRow:
    """A row of the waterfall: a span at its depth; or, with `span` None, the stand-in of a parent that was not received."""

    span: Span | None
    depth: int
    missing_parent: str = ""
    bar: Piece | None = None
    attempts: tuple[Piece, ...] = ()
    took: str = ""
    skew: str = ""
    is_late: bool = False

    @property
    def indent(self) -> int:
        """Its depth, as far as the page indents."""
        return min(self.depth, DEEPEST_INDENT)

    @property
    def icon(self) -> str:
        """The icon of its kind."""
        return KIND_ICONS[kind_of(self.span)] if self.span else "unplug"

    @property
    def kind(self) -> str:
        """What it is, in a word."""
        return kind_of(self.span) if self.span else ""

    @property
    def word(self) -> str:
        """What became of it, as its badge has it."""
        return word_of(self.span) if self.span else ""


@dataclass(slots=True)
class _Children:
    by_parent: dict[str, list[Span]] = field(default_factory=lambda: defaultdict(list))
    shown: set[str] = field(default_factory=set)


def rows_of(
    spans: Sequence[Span], stretch: Stretch, *, ended_at: datetime | None, received: Collection[str]
) -> list[SpanRow]:
    """Nested rows of `spans`, each once. `received` names the parents that exist but are not among them: theirs stay roots."""
    in_time = sorted(spans, key=lambda span: (span.started_at, span.span_id))
    by_id = {span.span_id: span for span in in_time}
    children = _Children()
    for span in in_time:
        children.by_parent[span.parent_id].append(span)
    rows: list[SpanRow] = []
    for span in in_time:
        parent_id = span.parent_id
        if span.span_id in children.shown or parent_id in by_id:
            continue
        if not parent_id or parent_id in received:
            _descend(span, 0, rows, children)
            continue
        rows.append(SpanRow(None, 0, missing_parent=parent_id))
        for orphan in children.by_parent[parent_id]:
            _descend(orphan, 1, rows, children)
    for span in in_time:  # what is left names itself as its own ancestor
        _descend(span, 0, rows, children)
    return [_drawn(row, by_id, stretch, ended_at) for row in rows]


def _descend(root: Span, depth: int, rows: list[SpanRow], children: _Children) -> None:
    open_spans = [(root, depth)]
    while open_spans:
        span, level = open_spans.pop()
        if span.span_id in children.shown:
            continue
        children.shown.add(span.span_id)
        rows.append(SpanRow(span, level))
        open_spans.extend((child, level + 1) for child in reversed(children.by_parent[span.span_id]))


def _drawn(row: SpanRow, by_id: dict[str, Span], stretch: Stretch, ended_at: datetime | None) -> SpanRow:
    span = row.span
    if span is None:
        return row
    end = end_of(span)
    parent = by_id.get(span.parent_id)
    early = parent.started_at - span.started_at if parent is not None else timedelta()
    return SpanRow(
        span,
        row.depth,
        bar=_piece(stretch, span.started_at, end or stretch.end, span.outcome),
        attempts=_attempts(span, stretch),
        took=duration_text((end - span.started_at) / timedelta(milliseconds=1)) if end else "",
        skew=duration_text(early / timedelta(milliseconds=1)) if early > _CLOCK_TOLERANCE else "",
        is_late=ended_at is not None and max(span.started_at, end or span.started_at) > ended_at + _CLOCK_TOLERANCE,
    )


def kind_of(span: Span) -> str:
    """The kind of a span; `approval` if it is the console's own."""
    return span.kind if span.approval_id is None else APPROVAL


def word_of(span: Span) -> str:
    """The outcome of a span, or what a person said: a wait that ended well was approved."""
    return "approved" if span.approval_id is not None and span.outcome == Outcome.OK else span.outcome


def end_of(span: Span) -> datetime | None:
    """When a span ended: as told, or as its measured length tells; None while nothing does."""
    if span.ended_at is not None:
        return max(span.ended_at, span.started_at)
    is_open = span.outcome in (SpanState.RUNNING, SpanState.WAITING) or span.elapsed_ms is None
    return None if is_open else span.started_at + timedelta(milliseconds=span.elapsed_ms or 0)


def _attempts(span: Span, stretch: Stretch) -> tuple[Piece, ...]:
    if len(span.attempts) < 2:  # noqa: PLR2004  one attempt is the bar itself
        return ()
    pieces = []
    for attempt in span.attempts:
        start = datetime.fromisoformat(attempt["at"])
        end = start + timedelta(milliseconds=attempt["elapsed_ms"])
        pieces.append(_piece(stretch, start, end, attempt["outcome"]))
    return tuple(pieces)


def _piece(stretch: Stretch, start: datetime, end: datetime, word: str) -> Piece:
    x = min(max(stretch.percent(start), 0), 100 - _THINNEST)
    width = min(max(stretch.percent(end) - x, _THINNEST), 100 - x)
    return Piece(f"{x:.3f}%", f"{width:.3f}%", word)
