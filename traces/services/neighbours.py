"""What of the runs of a batch is stored already, as far as placing needs it.

A run of up to WHOLE spans is read as a whole, so its rows become the same in whatever order they come. Of a larger one the
ancestors of the arrived spans and those that began within their times are read, AROUND at most: a batch costs what it holds, not
what its runs hold. There, what is stored is only placed anew right above and below what arrived.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet

from runs.ingest.rows import Row
from runs.ingest.writer import SPAN_COLUMNS
from runs.models import Run, Span, TraceEvent
from traces.services.repeats import kept_elsewhere, with_repeats

WHOLE = 1_000
AROUND = 1_000
ANCESTORS = 32
_LIGHT = (
    "run_id", "span_id", "parent_id", "trace_id", "kind", "name", "agent", "started_at", "ended_at", "outcome",
    "elapsed_ms", "soft_ms", "mapping", "approval_id", "has_arguments", "has_result",
)  # fmt: skip
_HAS = {
    f"has_{column}": ExpressionWrapper(Q(**{f"{column}__isnull": False}), output_field=BooleanField())
    for column in ("arguments", "result")
}


def runs_that_name(trace_ids: Iterable[str]) -> QuerySet[Run]:
    """The runs whose agents named one of these traces, by the index run_by_trace: not also by agent, or a planner would take that
    index, and walk through all of the agent's runs."""
    return Run.objects.filter(trace_id__in=list(trace_ids)).exclude(trace_id="")


def light_spans(known: Mapping[UUID, Run], arrived: Mapping[UUID, Sequence[Row]]) -> Iterator[Row]:
    """The stored spans around the arrived ones, without their texts. One query for all runs that are read as a whole."""
    whole = [run_id for run_id, run in known.items() if run.span_count <= WHOLE]
    if whole:
        yield from Span.objects.filter(run_id__in=whole).annotate(**_HAS).values(*_LIGHT)
    for run_id in known.keys() - set(whole):
        yield from _around(run_id, arrived[run_id])


def _around(run_id: UUID, arrived: Sequence[Row]) -> Iterator[Row]:
    mine = Span.objects.filter(run_id=run_id).annotate(**_HAS)
    first = min(row["started_at"] for row in arrived)
    last = max(row["ended_at"] or row["started_at"] for row in arrived)
    within = mine.filter(started_at__gte=first, started_at__lte=last).order_by("started_at", "span_id")
    found = {row["span_id"]: row for row in within.values(*_LIGHT)[:AROUND]}
    asked = set(found)
    wanted = {row["span_id"] for row in arrived} | {row["parent_id"] for row in arrived}
    for _ in range(ANCESTORS):
        wanted -= asked | {""}
        if not wanted:
            break
        asked |= wanted
        above = {row["span_id"]: row for row in mine.filter(span_id__in=wanted).values(*_LIGHT)}
        found |= above
        wanted = {row["parent_id"] for row in above.values()}
    yield from found.values()


def whole_spans(run_id: UUID, span_ids: Iterable[str]) -> dict[str, Row]:
    """Stored spans with all that is kept of them, their repeated texts in their places. Two queries at most."""
    rows = _read_whole(run_id, span_ids)
    keepers = {same.kept_by for row in rows.values() for same in kept_elsewhere(row)}
    around = {**rows, **_read_whole(run_id, keepers - rows.keys())}
    return {span_id: with_repeats(row, around) for span_id, row in rows.items()}


def _read_whole(run_id: UUID, span_ids: Iterable[str]) -> dict[str, Row]:
    wanted = list(span_ids)
    found = Span.objects.filter(run_id=run_id, span_id__in=wanted).values(*_WITHOUT_APPROVAL) if wanted else ()
    return {row["span_id"]: row for row in found}


_WITHOUT_APPROVAL = tuple(column for column in SPAN_COLUMNS if column != "approval_id")


def stored_events(run_ids: Iterable[UUID], event_ids: Sequence[Any]) -> set[tuple[UUID, UUID]]:
    """Which of the arrived records are there already."""
    if not event_ids:
        return set()
    found = TraceEvent.objects.filter(run_id__in=list(run_ids), id__in=event_ids)
    return set(found.values_list("run_id", "id"))


def adding_events(known: Mapping[UUID, Run]) -> Iterator[Row]:
    """The stored records that tell of tool calls."""
    some = [run_id for run_id, run in known.items() if 0 < run.event_count <= WHOLE]
    if some:
        found = TraceEvent.objects.filter(run_id__in=some, adds__isnull=False)
        yield from map(dict, found.values("run_id", "id", "at", "span_id", "adds", "cut"))
