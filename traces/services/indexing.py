"""Keeping search in step with the log, a little behind it. May run twice, on two workers at once, and be killed at any point.

A run's rows carry its `seq`, so what is not indexed of it is what lies beyond the greatest that is. Which runs to look at is told by when they
changed. Rows and progress are written in one transaction.
"""

import json
import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone

from runs.ingest import store
from runs.models import Environment, Run, Span, TraceEvent
from traces.models import LogText, SearchIndex
from traces.search.words import indexed

RUNS_A_BATCH = 40
ROWS_A_BATCH = 1_000
SWEEP_S = 20
PAUSE_S = 0.01  # between batches, let those who wait for SQLite's lock be next
# A transaction tells when it began, and is seen when it is committed.
OVERLAP = timedelta(seconds=15)
TEXT_CHARS = 8_000
CHECKED_A_SWEEP = 5_000
_START = datetime.fromisoformat("2000-01-01T00:00:00+00:00")
_EVENT = ("run_id", "id", "seq", "at", "level", "token", "message", "fields")
_SPAN = (
    "run_id", "span_id", "seq", "started_at", "kind", "name", "agent", "outcome", "message", "arguments", "result",
    "elapsed_ms", "soft_ms", "hard_ms",
)  # fmt: skip


class Changed(NamedTuple):
    """A run that has news."""

    run_id: UUID
    agent_id: int
    environment: str
    seq: int
    updated_at: datetime


def index_log() -> int:
    """Index what is new in the log; how many rows. What one sweep does not get through, the next one does."""
    began, rows = time.monotonic(), 0
    state, _ = SearchIndex.objects.get_or_create(id=1, defaults={"until": _START})
    after: tuple[datetime, UUID | None] = (state.until - OVERLAP, None)
    while time.monotonic() - began < SWEEP_S:
        asked_at = timezone.now()
        page = _changed_after(*after)
        written, is_whole = _index_runs(page)
        rows += written
        if is_whole:
            last = page[-1] if len(page) == RUNS_A_BATCH else None
            SearchIndex.objects.filter(id=1).update(until=last.updated_at if last else asked_at)
            if last is None:
                break
            after = (last.updated_at, last.run_id)
        time.sleep(PAUSE_S)
    return rows


def forget_pruned() -> int:
    """Delete the rows whose runs retention has deleted, a part of the index each time; how many."""
    state = SearchIndex.objects.filter(id=1).first()
    if state is None:
        return 0
    looked_at = list(
        LogText.objects.filter(id__gt=state.checked_id).order_by("id").values_list("id", "run_id")[:CHECKED_A_SWEEP]
    )
    runs = {run_id for _, run_id in looked_at}
    gone = runs - set(Run.objects.filter(id__in=runs).values_list("id", flat=True))
    with transaction.atomic():
        deleted, _ = LogText.objects.filter(run_id__in=gone).delete() if gone else (0, {})
        last = looked_at[-1][0] if len(looked_at) == CHECKED_A_SWEEP else 0
        SearchIndex.objects.filter(id=1).update(checked_id=last)
    return deleted


def _changed_after(at: datetime, run_id: UUID | None) -> list[Changed]:
    """The runs that changed next, in the order in which they did. A query for each environment, as the index run_changes has them."""
    later = Q(updated_at__gte=at) if run_id is None else Q(updated_at__gt=at) | Q(updated_at=at, id__gt=run_id)
    columns = ("id", "agent_id", "environment_id", "seq", "updated_at")
    found: list[Changed] = []
    for environment in Environment.objects.values_list("name", flat=True):
        mine = Run.objects.filter(later, environment=environment, updated_at__gte=at).order_by("updated_at", "id")
        found += [Changed(*row) for row in mine.values_list(*columns)[:RUNS_A_BATCH]]
    return sorted(found, key=lambda run: (run.updated_at, run.run_id))[:RUNS_A_BATCH]


def _index_runs(page: Sequence[Changed]) -> tuple[int, bool]:
    """Index what is new in some runs; how many rows, and whether that was all."""
    marks = dict(
        LogText.objects.filter(run_id__in=[run.run_id for run in page]).values_list("run_id").annotate(Max("seq"))
    )
    behind = {run.run_id: run for run in page if marks.get(run.run_id, 0) < run.seq}
    if not behind:
        return 0, True
    news = Q()
    for run_id in behind:
        news |= Q(run_id=run_id, seq__gt=marks.get(run_id, 0))
    events = list(TraceEvent.objects.filter(news).order_by("run_id", "seq").values(*_EVENT)[:ROWS_A_BATCH])
    spans = list(Span.objects.filter(news).order_by("run_id", "seq").values(*_SPAN)[:ROWS_A_BATCH])
    is_whole = max(len(events), len(spans)) < ROWS_A_BATCH
    rows = [*_rows(events, _event_row, behind), *_rows(spans, _span_row, behind)]
    if not is_whole:
        rows = _without_gaps(rows, events, spans)
    with transaction.atomic():
        store.insert_or_replace(LogText, rows, key=("run_id", "row_id"))
    return len(rows), is_whole


def _without_gaps(rows: list[dict[str, Any]], events: list[Any], spans: list[Any]) -> list[dict[str, Any]]:
    """Only up to where both tables were read: beyond it, a row of the other one may come before."""
    ends = [(part[-1]["run_id"], part[-1]["seq"]) for part in (events, spans) if len(part) == ROWS_A_BATCH]
    return [row for row in rows if (row["run_id"], row["seq"]) <= min(ends)]


def _rows(found: list[Any], make: Any, runs: dict[UUID, Changed]) -> Iterator[dict[str, Any]]:
    for one in found:
        run = runs[one["run_id"]]
        yield {
            "run_id": one["run_id"],
            "seq": one["seq"],
            "environment": run.environment,
            "agent_id": run.agent_id,
            **make(one),
        }


def _event_row(event: dict[str, Any]) -> dict[str, Any]:
    fields = json.dumps(event["fields"], ensure_ascii=False) if event["fields"] else ""
    return {
        "row_id": event["id"].hex,
        "kind": "event",
        "at": event["at"],
        "name": event["token"],
        "level": event["level"],
        "outcome": "",
        "elapsed_ms": None,
        "soft_ms": None,
        "hard_ms": None,
        "words": _words(event["token"], event["message"], fields),
    }


def _span_row(span: dict[str, Any]) -> dict[str, Any]:
    return {
        "row_id": span["span_id"],
        "kind": span["kind"],
        "at": span["started_at"],
        "name": span["name"],
        "level": "",
        "outcome": span["outcome"],
        "elapsed_ms": span["elapsed_ms"],
        "soft_ms": span["soft_ms"],
        "hard_ms": span["hard_ms"],
        "words": _words(span["name"], span["agent"], span["message"], span["arguments"], span["result"]),
    }


def _words(*texts: str | None) -> str:
    """The words of a row's texts, of each its beginning and its end, as texts are cut."""
    return indexed(" ".join(_within(text) for text in texts if text))


def _within(text: str) -> str:
    if len(text) <= TEXT_CHARS:
        return text
    return f"{text[: TEXT_CHARS * 2 // 3]} {text[-TEXT_CHARS // 3 :]}"
