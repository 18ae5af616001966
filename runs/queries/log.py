"""A run's log from a cursor on: the one reader behind first paint, API and sockets."""

import uuid

from typing_extensions import TypedDict

from runs.models import PhaseTick, Run, Span, TraceEvent
from runs.queries.shapes import (
    LIGHT_SPAN_COLUMNS,
    EventShape,
    RunShape,
    SpanShape,
    TickShape,
    event_shape,
    run_shape,
    span_shape,
    tick_shape,
)

LIMIT = 1000


class RunLog(TypedDict):
    """What changed in a run between `after` and `seq`: rows are states, not deltas, so reading twice is harmless."""

    topic: str
    after: int
    seq: int
    more: bool
    run: RunShape | None
    ticks: list[TickShape]
    spans: list[SpanShape]
    events: list[EventShape]


def run_log(run_id: uuid.UUID, after: int, limit: int = LIMIT) -> RunLog | None:
    """At most `limit` rows of the run's log with `seq` > `after`, in order; None if there is no such run. Four queries.

    The run is read first: rows that are committed later than that have a greater `seq` than its counter, and are left
    to the next call, so a page is never torn by a writer in between.
    """
    run = Run.objects.select_related("agent").filter(id=run_id).first()
    if run is None:
        return None
    window = {"run_id": run_id, "seq__gt": after, "seq__lte": run.seq}
    ticks = list(PhaseTick.objects.filter(**window).order_by("seq")[: limit + 1])
    spans = list(Span.objects.filter(**window).only(*LIGHT_SPAN_COLUMNS).order_by("seq")[: limit + 1])
    events = list(TraceEvent.objects.filter(**window).order_by("seq")[: limit + 1])
    numbers = sorted([tick.seq for tick in ticks] + [span.seq for span in spans] + [event.seq for event in events])
    more = len(numbers) > limit
    upto = numbers[limit - 1] if more else max(run.seq, after)
    return {
        "topic": f"run:{run_id}",
        "after": after,
        "seq": upto,
        "more": more,
        "run": run_shape(run) if after < run.summary_seq <= upto else None,
        "ticks": [tick_shape(tick) for tick in ticks if tick.seq <= upto],
        "spans": [span_shape(span) for span in spans if span.seq <= upto],
        "events": [event_shape(event) for event in events if event.seq <= upto],
    }
