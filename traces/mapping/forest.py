"""Spans as trees, in any order of their coming: who is above whom, also where parents are missing or forged."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from traces.mapping.account import Role, SpanFacts

_NEVER = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Above:
    """What holds a span, by id, "" where nothing does: the nearest agent or workflow; the nearest tool call, or part of one,
    below that; the nearest model call below both; and the nearest of agent, workflow and tool call."""

    agent: str = ""
    call: str = ""
    model: str = ""
    holder: str = ""
    is_in_agent: bool = False  # an agent or a tool call is above, not only workflows


@dataclass(slots=True)
class Forest:
    """Spans by id, in the order of their beginning, parents before children, each with what is above it."""

    spans: dict[str, SpanFacts] = field(default_factory=dict)
    above: dict[str, Above] = field(default_factory=dict)
    children: dict[str, list[str]] = field(default_factory=dict)

    def of(self, *roles: Role) -> Iterator[SpanFacts]:
        """The spans of these roles, by their beginning."""
        return (span for span in self.spans.values() if span.role in roles)

    def bottom_up(self) -> Iterable[str]:
        """All ids, children before parents."""
        return reversed(self.above)


def moment(span: SpanFacts) -> tuple[datetime, str]:
    """The place of a span among others: by beginning, then id."""
    return (span.started_at, span.span_id)


def grow(spans: Sequence[SpanFacts]) -> Forest:
    """The forest of spans. Of two with one id the one that has ended counts. The same for any order of `spans`."""
    chosen: dict[str, SpanFacts] = {}
    for span in spans:
        known = chosen.get(span.span_id)
        if known is None or _tells_more(span) > _tells_more(known):
            chosen[span.span_id] = span
    forest = Forest({span.span_id: span for span in sorted(chosen.values(), key=moment)})
    heads = []
    for span in forest.spans.values():
        if span.parent_id in forest.spans and span.parent_id != span.span_id:
            forest.children.setdefault(span.parent_id, []).append(span.span_id)
        else:
            heads.append(span.span_id)
    _walk(forest, heads)
    for span_id in forest.spans:  # what is left are circles: each begins at its earliest span
        if span_id not in forest.above:
            _walk(forest, [span_id])
    return forest


def _tells_more(span: SpanFacts) -> tuple[bool, datetime, str]:
    return (span.ended_at is not None, span.ended_at or _NEVER, repr(span))


def _walk(forest: Forest, heads: list[str]) -> None:
    stack = [(span_id, Above()) for span_id in reversed(heads)]
    while stack:
        span_id, above = stack.pop()
        if span_id in forest.above:
            continue
        forest.above[span_id] = above
        below = _below(forest.spans[span_id], above)
        stack.extend((child, below) for child in reversed(forest.children.get(span_id, ())))


def _below(span: SpanFacts, above: Above) -> Above:
    role, span_id = span.role, span.span_id
    if role in (Role.AGENT, Role.WORKFLOW):
        return Above(agent=span_id, holder=span_id, is_in_agent=above.is_in_agent or role == Role.AGENT)
    if role in (Role.TOOL, Role.TOOL_SIDE, Role.TOOL_PART):
        holder = span_id if role != Role.TOOL_PART else above.holder
        return Above(above.agent, call=span_id, holder=holder, is_in_agent=True)
    if role == Role.MODEL:
        return Above(above.agent, above.call, model=span_id, holder=above.holder, is_in_agent=above.is_in_agent)
    return above
