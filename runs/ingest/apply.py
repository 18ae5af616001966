"""The native door's writer: what its items mean for their runs."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from agentconsole.logconf import get_logger
from agentconsole.protocol.redaction import Hit
from runs.ingest.adopting import hand_over, rows_of, run_from_spans
from runs.ingest.applied import Applied, committed
from runs.ingest.clean import Cleaner
from runs.ingest.errors import ConsoleSpanError
from runs.ingest.fold import fold_arrival, fold_finish, fold_start, fold_tick
from runs.ingest.merge import merge_span
from runs.ingest.rows import Row, event_row, finish_row, span_row, start_row, tick_row
from runs.ingest.startup import Recorded, lacks_at
from runs.ingest.wire import EventItem, RunFinished, RunItem, RunStarted, SpanItem, Tick, run_of
from runs.ingest.writer import SPAN_COLUMNS, ByRun, Writer
from runs.models import AgentInstance, PhaseTick, Run, Span, TraceEvent

log = get_logger(__name__)


class Prepared(NamedTuple):
    """A valid item with its cleaned row, and its place in the batch."""

    place: int
    item: RunItem
    row: Row

    @property
    def at(self) -> datetime:
        """When it was by the agent's clock."""
        return self.item.at


def prepare(place: int, item: RunItem, *, keeps_content: bool = True) -> tuple[Prepared, list[Hit]]:
    """Clean an item. ItemError if its payload can't be stored."""
    cleaner = Cleaner(keeps_content)
    if item.request_id:
        item.request_id = cleaner.request_id(item.request_id, run_of(item))
    match item:
        case Tick():
            row = tick_row(item, cleaner)
        case EventItem():
            row = event_row(item, cleaner)
        case SpanItem():
            row = span_row(item, cleaner)
        case RunStarted():
            row = start_row(item, cleaner)
        case RunFinished():
            row = finish_row(item, cleaner)
    return Prepared(place, item, row), cleaner.hits


def apply_batch(
    prepared: list[Prepared], *, instance: AgentInstance, skew_ms: int, startups: Sequence[Recorded] = ()
) -> Applied:
    """Store the items of a batch. Committed when it returns. BusyError: nothing is stored, send it again."""
    return committed(lambda: _ItemWriter(instance, skew_ms, startups).write(prepared))


class _ItemWriter(Writer[Prepared]):
    def __init__(self, instance: AgentInstance, skew_ms: int, startups: Sequence[Recorded]) -> None:
        super().__init__(instance, skew_ms)
        self.startups = startups
        self.adopted: list[tuple[Run, Run]] = []

    def _lock(self, arrived: Sequence[Prepared]) -> tuple[ByRun[Prepared], dict[UUID, Run]]:
        by_run: dict[UUID, list[Prepared]] = defaultdict(list)
        for one in arrived:
            by_run[run_of(one.item)].append(one)
        found = Run.objects.select_for_update().filter(id__in=list(by_run)).order_by("id")
        return by_run, {run.id: run for run in found}

    def _load_stored(self, known: Any, by_run: ByRun[Prepared]) -> None:
        """Three queries at most, by the tables' keys. A new run has nothing."""
        ids: dict[type, list[Any]] = defaultdict(list)
        for run_id in known:
            for one in by_run[run_id]:
                ids[type(one.item)].append(one.item.id)
        mine = {"run_id__in": list(known)}
        self.known: dict[type[Tick | EventItem], set[tuple[UUID, UUID]]] = {
            kind: set(model.objects.filter(**mine, id__in=ids[kind]).values_list("run_id", "id"))
            if ids[kind]
            else set()
            for kind, model in ((Tick, PhaseTick), (EventItem, TraceEvent))
        }
        stored = Span.objects.filter(**mine, span_id__in=ids[SpanItem]).values(*SPAN_COLUMNS) if ids[SpanItem] else []
        self.stored_spans: dict[tuple[UUID, str], Row] = {(row["run_id"], row["span_id"]): row for row in stored}
        # What is left is what an agent's account has too.
        self.waits = {key for key, row in self.stored_spans.items() if row.pop("approval_id") is not None}

    def _arrived(self, run: Run, items: Sequence[Prepared]) -> None:
        if any(isinstance(one.item, RunStarted) and one.item.trace_id for one in items):
            self._adopt(run)
        woken = fold_arrival(
            run,
            first_at=min(one.at for one in items),
            request_id=next((one.item.request_id for one in items if one.item.request_id), ""),
            now=self.now,
            skew_ms=self.skew_ms,
        )
        if woken:
            log.info("RUN_RESUMED", run_id=str(run.id))

    def _adopt(self, run: Run) -> None:
        found = run_from_spans(run)
        if found is None:
            return
        for model, row in rows_of(found, run):
            if model is TraceEvent:
                self._take_event(run, row)
            elif (run.id, row["span_id"]) not in self.stored_spans:
                self._take_span(run, None, row)
        self.adopted.append((found, run))

    def _store(self, changed: Sequence[Run], made: Mapping[UUID, Run]) -> None:
        super()._store(changed, made)
        for found, run in self.adopted:
            hand_over(found, run)

    def _apply_item(self, run: Run, one: Prepared) -> bool:
        match one.item:
            case RunStarted():
                lacks = lacks_at(one.item.at, self.instance, self.startups)
                return fold_start(run, one.row | {"lacked": lacks.to_json()})
            case RunFinished():
                return fold_finish(run, one.row)
            case SpanItem():
                return self._apply_span(run, one.row)
            case Tick() | EventItem():
                return self._apply_record(run, one.item, one.row)

    def _apply_record(self, run: Run, item: Tick | EventItem, row: Row) -> bool:
        key, known = (run.id, row["id"]), self.known[type(item)]
        if key in known:
            return False
        known.add(key)
        if isinstance(item, EventItem):
            self._take_event(run, row)
            return True
        row["seq"] = self._next_seq(run)
        fold_tick(run, row)
        self.ticks.append(row)
        return True

    def _apply_span(self, run: Run, row: Row) -> bool:
        key = (run.id, row["span_id"])
        if key in self.waits:
            raise ConsoleSpanError("This span is the console's record of an approval. Make span ids at random.")
        stored = self.stored_spans.get(key)
        # A span that both doors tell of is what the agent itself says it is.
        is_told = stored is not None and stored["mapping"] is None
        merged = merge_span(stored, row) if stored and is_told else row
        if merged is None:
            return False
        self._take_span(run, stored, merged)
        self.stored_spans[key] = merged
        return True
