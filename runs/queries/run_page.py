"""What the page of one run reads. Every read is bounded: none grows with the run's spans, ticks or events."""

import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Q

from runs.models import PhaseTick, Run, Span, SpanKind, TickState, TraceEvent
from runs.queries.run_detail import SpanDetail, detail_of
from runs.queries.shapes import LIGHT_SPAN_COLUMNS
from runs.timeline.drawn import Ribbon, ribbon_of
from runs.timeline.ribbon import ticks_of
from runs.timeline.state import Stretch
from runs.timeline.text import question_of
from runs.timeline.waterfall import SpanRow, end_of, rows_of

RIBBON_TICKS = 400
RIBBON_WAITS = 100
SPANS_A_PAGE = 100
EVENTS_A_PAGE = 200
SUB_AGENTS_A_PAGE = 25
CALLS_OF_SUB_AGENTS = 500
RUNS_OF_A_REQUEST = 100
_CALLS = (SpanKind.MODEL, SpanKind.TOOL, SpanKind.RETRIEVAL)


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The runs of the same agent that started just before and just after one."""

    older: uuid.UUID | None
    newer: uuid.UUID | None


@dataclass(frozen=True, slots=True)
class SpanPage:
    """Rows of the waterfall, and the span id after which the next page starts."""

    rows: Sequence[SpanRow]
    stretch: Stretch
    next_after: str = ""


@dataclass(frozen=True, slots=True)
class EventPage:
    """Events in their order of time, and the `seq` after which the next page starts."""

    events: Sequence[TraceEvent]
    next_after: int | None = None


@dataclass(slots=True)
class SubAgent:
    """One invocation of a sub-agent and the calls right under it."""

    span: Span
    calls: list[Span] = field(default_factory=list)

    @property
    def query(self) -> str:
        """What it was asked, as far as its arguments tell."""
        return question_of(self.span.arguments or "")

    @property
    def detail(self) -> SpanDetail:
        """Its kept texts, read for display."""
        return detail_of(self.span)

    @property
    def ended_at(self) -> datetime | None:
        """When it answered."""
        return end_of(self.span)


@dataclass(frozen=True, slots=True)
class SubAgentPage:
    """Invocations in their order of time, and the span id after which the next page starts."""

    invocations: Sequence[SubAgent]
    next_after: str = ""
    are_calls_bounded: bool = False


def neighbours_of(run: Run) -> Neighbours:
    """By the agent's order of start. Two queries, by the index run_list_by_agent."""
    mine = Run.objects.filter(agent_id=run.agent_id)
    older = mine.filter(started_at__lte=run.started_at).filter(Q(started_at__lt=run.started_at) | Q(id__lt=run.id))
    newer = mine.filter(started_at__gte=run.started_at).filter(Q(started_at__gt=run.started_at) | Q(id__gt=run.id))
    return Neighbours(
        older=older.order_by("-started_at", "-id").values_list("id", flat=True).first(),
        newer=newer.order_by("started_at", "id").values_list("id", flat=True).first(),
    )


def ribbon_for(run: Run, stretch: Stretch) -> Ribbon:
    """The first RIBBON_TICKS entries and exits of phases and RIBBON_WAITS waits. Two queries, by tick_ribbon and span_waits.

    A run that is known from its spans alone has no ticks: the phases of its calls stand in for them. One query more.
    """
    ticks = list(PhaseTick.objects.filter(~Q(state=TickState.ALIVE), run=run).order_by("at")[: RIBBON_TICKS + 1])
    if run.is_traced and not ticks:
        calls = Span.objects.filter(run=run, kind__in=_CALLS).exclude(phase="").only(*LIGHT_SPAN_COLUMNS)
        ticks = ticks_of(calls.order_by("started_at", "span_id")[: RIBBON_TICKS // 2 + 1])
    found = Span.objects.filter(run=run, approval_id__isnull=False).only(*LIGHT_SPAN_COLUMNS)
    waits = list(found.order_by("started_at")[: RIBBON_WAITS + 1])
    is_bounded = len(ticks) > RIBBON_TICKS or len(waits) > RIBBON_WAITS
    return ribbon_of(ticks[:RIBBON_TICKS], stretch, waits=waits[:RIBBON_WAITS], is_bounded=is_bounded)


def span_page(run: Run, stretch: Stretch, after: str = "") -> SpanPage:
    """The first spans to start, or those after one, nested. Two queries, three with `after`."""
    found = Span.objects.filter(run=run).only(*LIGHT_SPAN_COLUMNS).order_by("started_at", "span_id")
    if after and (cursor := Span.objects.filter(run=run, span_id=after).only("started_at").first()):
        later = Q(started_at__gt=cursor.started_at) | Q(span_id__gt=after)
        found = found.filter(started_at__gte=cursor.started_at).filter(later)
    spans = list(found[: SPANS_A_PAGE + 1])
    has_more, spans = len(spans) > SPANS_A_PAGE, spans[:SPANS_A_PAGE]
    elsewhere = {span.parent_id for span in spans} - {span.span_id for span in spans}
    received = set(Span.objects.filter(run=run, span_id__in=elsewhere).values_list("span_id", flat=True))
    # What came late or by another clock still has its place: the axis reaches to it.
    start = min([stretch.start, *(span.started_at for span in spans)])
    end = max([stretch.end, *(end_of(span) or span.started_at for span in spans)])
    axis = Stretch(start, end, stretch.is_live)
    return SpanPage(
        rows=rows_of(spans, axis, ended_at=run.ended_at, received=received),
        stretch=axis,
        next_after=spans[-1].span_id if has_more else "",
    )


def event_page(run: Run, after: int = 0) -> EventPage:
    """Events as they came in, from a cursor on. One query, by the index event_log."""
    events = list(TraceEvent.objects.filter(run=run, seq__gt=after).order_by("seq")[: EVENTS_A_PAGE + 1])
    has_more, events = len(events) > EVENTS_A_PAGE, events[:EVENTS_A_PAGE]
    return EventPage(
        events=sorted(events, key=lambda event: (event.at, str(event.id))),
        next_after=events[-1].seq if has_more else None,
    )


def sub_agent_page(run: Run, after: str = "") -> SubAgentPage:
    """Sub-agents' invocations with their calls. Two queries, three with `after`."""
    found = Span.objects.filter(run=run, kind=SpanKind.SUBAGENT).order_by("started_at", "span_id")
    if after and (cursor := Span.objects.filter(run=run, span_id=after).only("started_at").first()):
        later = Q(started_at__gt=cursor.started_at) | Q(span_id__gt=after)
        found = found.filter(started_at__gte=cursor.started_at).filter(later)
    spans = list(found[: SUB_AGENTS_A_PAGE + 1])
    has_more, spans = len(spans) > SUB_AGENTS_A_PAGE, spans[:SUB_AGENTS_A_PAGE]
    calls = list(
        Span.objects.filter(run=run, parent_id__in=[span.span_id for span in spans])
        .exclude(kind=SpanKind.SUBAGENT)
        .only(*LIGHT_SPAN_COLUMNS)
        .order_by("started_at", "span_id")[: CALLS_OF_SUB_AGENTS + 1]
    )
    by_parent: dict[str, list[Span]] = defaultdict(list)
    for call in calls[:CALLS_OF_SUB_AGENTS]:
        by_parent[call.parent_id].append(call)
    return SubAgentPage(
        invocations=[SubAgent(span, by_parent[span.span_id]) for span in spans],
        next_after=spans[-1].span_id if has_more else "",
        are_calls_bounded=len(calls) > CALLS_OF_SUB_AGENTS,
    )


def span_of(run: Run, span_id: str) -> Span | None:
    """A span whole, None if the run has none of that id. One query, by its key."""
    return Span.objects.filter(run=run, span_id=span_id).first()


def event_of(run: Run, event_id: str) -> TraceEvent | None:
    """An event, None if the run has none of that id. One query, by its key."""
    try:
        return TraceEvent.objects.filter(run=run, id=uuid.UUID(event_id)).first()
    except ValueError:
        return None


def siblings_of(run: Run) -> int:
    """How many runs of its environment belong to its request, itself among them, RUNS_OF_A_REQUEST at most. One query."""
    same = Run.objects.filter(request_id=run.request_id, environment=run.environment_id)
    return same[:RUNS_OF_A_REQUEST].count() if run.request_id else 1


def runs_of_request(request_id: str, environments: Sequence[str]) -> list[Run]:
    """The runs of a request in the given environments, newest first, RUNS_OF_A_REQUEST at most. One query."""
    found = Run.objects.filter(request_id=request_id, environment__in=environments).select_related("agent")
    return list(found.order_by("-started_at", "-id")[:RUNS_OF_A_REQUEST])
