"""One batch, one short transaction: lock the runs, merge, number, write, tell."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

from django.db import OperationalError, transaction
from django.utils import timezone

from agentconsole import live
from agentconsole.logconf import get_logger
from agentconsole.protocol.envelope import SpanState
from agentconsole.protocol.redaction import Hit
from runs.ingest import store
from runs.ingest.clean import Cleaner
from runs.ingest.errors import BusyError, ConsoleSpanError, ItemError, NotYoursError
from runs.ingest.fold import blank_run, fold_arrival, fold_finish, fold_span, fold_start, fold_tick
from runs.ingest.merge import merge_span
from runs.ingest.rows import Row, event_row, finish_row, span_row, start_row, tick_row
from runs.ingest.startup import Recorded, lacks_at
from runs.ingest.wire import EventItem, RunFinished, RunItem, RunStarted, SpanItem, Tick, run_of
from runs.models import AgentInstance, PhaseTick, Run, Span, TraceEvent
from runs.signals import runs_appeared

log = get_logger(__name__)

_TRIES = 10
_OPEN = frozenset({SpanState.RUNNING.value, SpanState.WAITING.value})
_RUN_COLUMNS = tuple(column.attname for column in Run._meta.concrete_fields)
_SUMMARY = tuple(name for name in _RUN_COLUMNS if name not in ("environment_id", "agent_id", "received_at"))
_SPAN_COLUMNS = tuple(column.attname for column in Span._meta.concrete_fields)


class Prepared(NamedTuple):
    """A valid item with its cleaned row, and its place in the batch."""

    place: int
    item: RunItem
    row: Row


@dataclass(slots=True)
class Applied:
    """What became of a batch. `tools` counts the tool calls that it ended, by (tool, outcome)."""

    accepted: int = 0
    duplicates: int = 0
    refused: list[tuple[int, ItemError]] = field(default_factory=list)
    tools: Counter[tuple[str, str]] = field(default_factory=Counter)


def prepare(place: int, item: RunItem) -> tuple[Prepared, list[Hit]]:
    """Clean an item. ItemError if its payload can't be stored."""
    cleaner = Cleaner()
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


class _RunTakenError(Exception):
    """Another transaction made a run that this one was about to make."""


def apply_batch(
    prepared: list[Prepared], *, instance: AgentInstance, skew_ms: int, startups: Sequence[Recorded] = ()
) -> Applied:
    """Store the items of a batch. Committed when it returns. BusyError: nothing is stored, send it again.

    New runs are not locked but made at the end, so two batches can make the same run at once. The loser keeps nothing
    and is tried again when the winner's run is there to be locked: each try finds at least one run more.
    """
    for _ in range(_TRIES):
        try:
            with transaction.atomic():
                return _Writer(instance, skew_ms, startups).write(prepared)
        except _RunTakenError:
            continue
        except OperationalError as error:
            if "deadlock" not in str(error) and "locked" not in str(error):
                raise
    raise BusyError("Other batches are writing the same runs. Send this one again.", headers={"Retry-After": "1"})


class _Writer:
    """The state of one transaction."""

    def __init__(self, instance: AgentInstance, skew_ms: int, startups: Sequence[Recorded]) -> None:
        self.instance = instance
        self.startups = startups
        self.skew_ms = skew_ms
        self.now = timezone.now()
        self.applied = Applied()
        self.ticks: list[Row] = []
        self.events: list[Row] = []
        self.spans: dict[tuple[UUID, str], Row] = {}

    def write(self, prepared: list[Prepared]) -> Applied:
        by_run: dict[UUID, list[Prepared]] = defaultdict(list)
        for one in prepared:
            by_run[run_of(one.item)].append(one)
        known = self._lock_known(by_run)
        names = {run_id: _names(run) for run_id, run in known.items()}
        self._load_stored(known, by_run)
        made = {run_id: self._blank(run_id, items) for run_id, items in by_run.items() if run_id not in known}
        runs = {**self._only_mine(known, by_run), **made}
        changed = [run for run_id, run in runs.items() if self._apply_to_run(run, by_run[run_id])]
        self._store(changed, made)
        if changed:
            live.publish_on_commit(
                {f"run:{run.id}": run.seq for run in changed}
                | {f"runs:{self.instance.agent.environment_id}": self.now.isoformat()}
            )
        # Last, so that what a receiver writes into these runs finds their rows, and its hints follow those above.
        if appeared := [run.id for run in changed if names.get(run.id) != _names(run)]:
            runs_appeared.send(sender=Run, run_ids=appeared)
        return self.applied

    def _store(self, changed: list[Run], made: dict[UUID, Run]) -> None:
        # By id, as locks are taken: writers that wait for each other's new runs then do so in one direction.
        new = [_columns(run, _RUN_COLUMNS) for run in sorted(changed, key=attrgetter("id")) if run.id in made]
        if store.insert_new(Run, new, key=("id",)) < len(new):
            raise _RunTakenError
        store.update_each(Run, [_columns(run, _SUMMARY) for run in changed if run.id not in made], key="id")
        store.insert_new(PhaseTick, self.ticks, key=("run_id", "id"))
        store.insert_new(TraceEvent, self.events, key=("run_id", "id"))
        store.insert_or_replace(Span, list(self.spans.values()), key=("run_id", "span_id"))

    def _lock_known(self, run_ids: Iterable[UUID]) -> dict[UUID, Run]:
        """The runs that are there already, locked in the order of their ids, so that no two batches lock crosswise."""
        return {run.id: run for run in Run.objects.select_for_update().filter(id__in=list(run_ids)).order_by("id")}

    def _only_mine(self, known: dict[UUID, Run], by_run: dict[UUID, list[Prepared]]) -> dict[UUID, Run]:
        mine = {run_id: run for run_id, run in known.items() if run.agent_id == self.instance.agent_id}
        error = NotYoursError("This run id belongs to another agent. Make a new UUIDv7 for each run.")
        for run_id in known.keys() - mine.keys():
            self.applied.refused.extend((one.place, error) for one in by_run[run_id])
        return mine

    def _blank(self, run_id: UUID, items: list[Prepared]) -> Run:
        agent = self.instance.agent
        run = blank_run(run_id, at=min(one.item.at for one in items), now=self.now)
        run.environment_id, run.agent_id, run.instance_id = agent.environment_id, agent.id, self.instance.id
        run.actor = f"agent:{agent.name}/{self.instance.name}"
        return run

    def _load_stored(self, known: dict[UUID, Run], by_run: dict[UUID, list[Prepared]]) -> None:
        """What of the batch is stored already: three queries at most, by the tables' keys. A new run has nothing."""
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
        stored = Span.objects.filter(**mine, span_id__in=ids[SpanItem]).values(*_SPAN_COLUMNS) if ids[SpanItem] else []
        self.stored_spans: dict[tuple[UUID, str], Row] = {(row["run_id"], row["span_id"]): row for row in stored}
        # What is left is what an agent's account has too.
        self.waits = {key for key, row in self.stored_spans.items() if row.pop("approval_id") is not None}

    def _apply_to_run(self, run: Run, items: list[Prepared]) -> bool:
        """Fold each item into the run and number what is new. True if anything was."""
        accepted = sum([self._apply(run, one) for one in items])
        if not accepted:
            return False
        self.applied.accepted += accepted
        woken = fold_arrival(
            run,
            first_at=min(one.item.at for one in items),
            request_id=next((one.item.request_id for one in items if one.item.request_id), ""),
            now=self.now,
            skew_ms=self.skew_ms,
        )
        if woken:
            log.info("RUN_RESUMED", run_id=str(run.id))
        run.summary_seq = self._next_seq(run)
        return True

    def _apply(self, run: Run, one: Prepared) -> bool:
        try:
            is_new = self._apply_item(run, one)
        except ItemError as error:
            self.applied.refused.append((one.place, error))
            return False
        self.applied.duplicates += not is_new
        return is_new

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
        row["seq"] = self._next_seq(run)
        if isinstance(item, Tick):
            fold_tick(run, row)
            self.ticks.append(row)
        else:
            run.event_count += 1
            self.events.append(row)
        return True

    def _apply_span(self, run: Run, row: Row) -> bool:
        key = (run.id, row["span_id"])
        stored = self.stored_spans.get(key)
        if key in self.waits:
            raise ConsoleSpanError("This span is the console's record of an approval. Make span ids at random.")
        merged = row if stored is None else merge_span(stored, row)
        if merged is None:
            return False
        fold_span(run, stored, merged)
        outcome = merged["outcome"]
        if merged["kind"] == "tool" and outcome not in _OPEN and not (stored and stored["outcome"] == outcome):
            self.applied.tools[merged["name"], outcome] += 1
        merged["seq"] = self._next_seq(run)
        self.stored_spans[key] = self.spans[key] = merged
        return True

    @staticmethod
    def _next_seq(run: Run) -> int:
        run.seq += 1
        return run.seq


def _names(run: Run) -> tuple[str, str]:
    return run.request_id, run.trace_id


def _columns(run: Run, columns: tuple[str, ...]) -> Row:
    return {column: getattr(run, column) for column in columns}
