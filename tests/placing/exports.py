"""Exports of the captures and of a test's own spans, and what is stored of them."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from runs.models import AgentInstance, Run, RunTrace, Span, TraceEvent
from tests.otlp.bodies import captures
from traces.otlp import binary
from traces.otlp.shapes import Export, ExportOutcome, OtlpSpan
from traces.services.exports import store_export

_OURS = {"seq", "summary_seq", "received_at", "last_seen_at", "updated_at", "lease_expires_at"}
_ids = count(1)


def exports_of(folder: str) -> list[Export]:
    """A captured folder's requests, without those for metrics."""
    now = datetime.now(UTC)
    return [
        (binary.read_logs if capture.path.endswith("/logs") else binary.read_traces)(capture.body, now)
        for capture in captures(folder)
        if not capture.path.endswith("/metrics")
    ]


def store(exports: Iterable[Export], instance: AgentInstance) -> list[ExportOutcome]:
    """Store them one after the other; nothing may be refused."""
    outcomes = [store_export(export, instance=instance) for export in exports]
    assert [outcome.refused for outcome in outcomes if outcome.refused] == []
    return outcomes


def store_spans(instance: AgentInstance, *spans: OtlpSpan) -> ExportOutcome:
    """Store spans in one export."""
    return store([Export(len(spans), spans)], instance)[0]


def rows() -> list[Any]:
    """All that is stored but for what our own clock and counters say, runs by their trace: ids of runs are made at random."""
    traces = dict(RunTrace.objects.values_list("run_id", "trace_id"))
    found = []
    models: tuple[Any, ...] = (Run, Span, TraceEvent)
    for model in models:
        for row in model._default_manager.values():
            run = traces[row["id"] if model is Run else row["run_id"]]
            kept = {column: value for column, value in row.items() if column not in _OURS and column != "run_id"}
            if model is Run:
                del kept["id"]
            found.append((model.__name__, run, str(kept.get("span_id", "")), str(kept.get("id", "")), kept))
    return sorted(found, key=lambda row: row[:4])


def forget() -> None:
    """Delete all runs."""
    Run.objects.all().delete()


def new_trace() -> str:
    """A trace id that no other test has."""
    return f"{next(_ids):032x}"


def span(
    trace_id: str, span_id: int, parent: int = 0, *, at: float = 0, took: float | None = 1, **given: Any
) -> OtlpSpan:
    """A span by small numbers for ids: it began `at` seconds after the first, and took so many; None is not ended yet."""
    began = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC) + timedelta(seconds=at)
    return OtlpSpan(
        trace_id=trace_id,
        span_id=f"{span_id:016x}",
        parent_id=f"{parent:016x}" if parent else "",
        name=given.pop("name", f"span {span_id}"),
        started_at=began,
        ended_at=None if took is None else began + timedelta(seconds=took),
        **given,
    )
