"""The OTLP door's writer: finds the runs of traces, or makes them, and places spans among their neighbours under the runs' locks."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings

from agentconsole.logconf import get_logger
from agentconsole.protocol.context import Transport, current_context
from agentconsole.protocol.ids import uuid7_of
from runs.ingest import store
from runs.ingest.applied import RunTakenError
from runs.ingest.fold import fold_arrival, fold_traced_arrival
from runs.ingest.rows import Row
from runs.ingest.writer import ByRun, Writer
from runs.models import Run, RunTrace
from traces.services.facts import Telling, fold_facts, name_run
from traces.services.neighbours import WHOLE, adding_events, light_spans, runs_that_name, stored_events, whole_spans
from traces.services.placing import Spans
from traces.services.shown import addition_of

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Told:
    """A span or a log record as told: its place in the export, its cleaned row without a run, and what it tells of its run."""

    place: int
    trace_id: str
    at: datetime
    row: Row
    telling: Telling | None
    run_id: UUID | None = None  # where it has no trace

    @property
    def is_span(self) -> bool:
        """Whether it is no log record."""
        return "parent_id" in self.row


class TraceWriter(Writer[Told]):
    """The state of one transaction."""

    made_by = "trace_id"

    def _lock(self, arrived: Sequence[Told]) -> tuple[ByRun[Told], dict[UUID, Run]]:
        by_trace: dict[str, list[Told]] = defaultdict(list)
        by_run: dict[UUID, list[Told]] = defaultdict(list)
        for one in arrived:
            if one.run_id is None:
                by_trace[one.trace_id].append(one)
            else:
                by_run[one.run_id].append(one)
        found = self._run_ids(by_trace)
        self.trace_of: dict[UUID, str] = {}
        self.event_ids: set[tuple[UUID, UUID]] = set()
        for trace_id, items in by_trace.items():
            run_id = found.get(trace_id) or uuid7_of(min(one.at for one in items))
            self.trace_of[run_id] = trace_id
            by_run[run_id].extend(items)
        wanted = {*found.values(), *(one.run_id for one in arrived if one.run_id)}
        known = {run.id: run for run in Run.objects.select_for_update().filter(id__in=wanted).order_by("id")}
        if len(known) < len(wanted):  # retention was faster
            raise RunTakenError
        return by_run, known

    def _run_ids(self, trace_ids: Mapping[str, Any]) -> dict[str, UUID]:
        """The runs that are there already. A trace that the agent's own run names is that run's."""
        known = RunTrace.objects.filter(agent_id=self.instance.agent_id, trace_id__in=list(trace_ids))
        found: dict[str, UUID] = dict(known.values_list("trace_id", "run_id"))
        self.new_traces = sorted(trace_ids.keys() - found.keys())
        if self.new_traces:
            told = runs_that_name(self.new_traces).values_list("started_at", "id", "trace_id", "agent_id")
            mine = self.instance.agent_id
            # The latest first, so that the first one stays.
            found |= {trace: run_id for _at, run_id, trace, agent in sorted(told, reverse=True) if agent == mine}
        return found

    def _load_stored(self, known: Mapping[UUID, Run], by_run: ByRun[Told]) -> None:
        """Three queries, one more for each run with repeated texts or of more than WHOLE spans. A new run has nothing."""
        self.around = {
            run_id: Spans(
                partial(whole_spans, run_id), are_all=run_id not in known or known[run_id].span_count <= WHOLE
            )
            for run_id in by_run
        }
        if not known:
            return
        arrived = {run_id: [one.row for one in by_run[run_id] if one.is_span] for run_id in known}
        for row in light_spans(known, arrived):
            self.around[row["run_id"]].know(row)
        for event in adding_events(known):
            self._note(event)
        for run_id, rows in arrived.items():
            self.around[run_id].expect(row["span_id"] for row in rows)
        event_ids = [one.row["id"] for run_id in known for one in by_run[run_id] if not one.is_span]
        self.event_ids = stored_events(known, event_ids)

    def _note(self, event: Row) -> None:
        if addition := addition_of(event):
            self.around[event["run_id"]].recorded.append(addition)

    def _blank(self, run_id: UUID, items: Sequence[Told]) -> Run:
        run = super()._blank(run_id, items)
        context = current_context()
        run.transport = (context.transport if context else Transport.REST).value
        run.trace_id = run.request_id = self.trace_of[run_id]
        run.heartbeat_s = run.lease_s = settings.OTLP_LEASE_S
        run.source = {}
        return run

    def _apply_item(self, run: Run, one: Told) -> bool:
        row = {**one.row, "run_id": run.id}
        is_new = self.around[run.id].add(row) if one.is_span else self._apply_event(run, row)
        tells = one.telling is not None and run.is_traced and fold_facts(run, one.telling)
        return is_new or tells

    def _apply_event(self, run: Run, row: Row) -> bool:
        key = (run.id, row["id"])
        if key in self.event_ids:
            return False
        self.event_ids.add(key)
        self._take_event(run, row)
        self._note(row)
        return True

    def _arrived(self, run: Run, items: Sequence[Told]) -> None:
        around = self.around[run.id]
        for stored, row in around.placed():
            self._take_span(run, stored, row)
        woken = fold_arrival(
            run, first_at=min(one.at for one in items), request_id="", now=self.now, skew_ms=self.skew_ms
        )
        if run.is_traced:
            if around.are_all or not (run.source or {}).get("name"):
                name_run(run, around.tops)
            woken = fold_traced_arrival(run, now=self.now, settle_s=settings.OTLP_SETTLE_S) or woken
        if woken:
            log.info("RUN_RESUMED", run_id=str(run.id))

    def _store(self, changed: Sequence[Run], made: Mapping[UUID, Run]) -> None:
        run_of = {self.trace_of[run.id]: run.id for run in changed if run.id in self.trace_of}
        agent_id = self.instance.agent_id
        new = [
            {"agent_id": agent_id, "trace_id": trace_id, "run_id": run_of[trace_id]}
            for trace_id in self.new_traces
            if trace_id in run_of
        ]
        if store.insert_new(RunTrace, new, key=("agent_id", "trace_id")) < len(new):
            raise RunTakenError
        super()._store(changed, made)
