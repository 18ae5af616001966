"""An agent's own run takes over what came of its trace before it: then there was a run known from spans alone.

Both doors have their batches, so either may be first. Bounded: a run of more than MOST rows stays, beside the agent's own; so does
one for which people were asked, since their decisions name it.
"""

from collections.abc import Iterator
from typing import Any

from runs.ingest.rows import Row
from runs.models import Run, RunTrace, Span, TraceEvent

MOST = 2_000


def run_from_spans(run: Run) -> Run | None:
    """The run, locked, that the spans of `run`'s trace made before `run` was known; None if there is none to take over. Two queries."""
    if not run.trace_id:
        return None
    made = RunTrace.objects.filter(agent_id=run.agent_id, trace_id=run.trace_id).exclude(run_id=run.id)
    found = Run.objects.select_for_update().filter(id__in=made.values("run_id"), source__isnull=False).first()
    if found is None or found.seq > MOST or Span.objects.filter(run=found, approval_id__isnull=False).exists():
        return None
    return found


def rows_of(found: Run, run: Run) -> Iterator[tuple[type[Span | TraceEvent], Row]]:
    """The spans and events of a run as rows of another one, in the order in which they came."""
    models: tuple[Any, ...] = (Span, TraceEvent)
    for model in models:
        for row in model.objects.filter(run=found).order_by("seq").values():
            row.pop("approval_id", None)
            yield model, {**row, "run_id": run.id}


def hand_over(found: Run, run: Run) -> None:
    """From now on the trace's spans are `run`'s; what made them is gone. `run` is stored."""
    RunTrace.objects.filter(run=found).update(run=run)
    found.delete()
