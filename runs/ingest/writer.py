"""One batch, one short transaction: lock the runs, merge, number, write, tell. What a door's items are is for its own writer."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, ClassVar, Generic, Protocol, TypeVar
from uuid import UUID

from django.utils import timezone

from agentconsole import live
from agentconsole.logconf import get_logger
from agentconsole.protocol.envelope import SpanState
from runs.ingest import store
from runs.ingest.applied import Applied, RunTakenError
from runs.ingest.errors import ItemError, NotYoursError
from runs.ingest.fold import blank_run, fold_span
from runs.ingest.rows import Row
from runs.models import AgentInstance, PhaseTick, Run, Span, TraceEvent
from runs.signals import runs_appeared

log = get_logger(__name__)

OPEN = frozenset({SpanState.RUNNING.value, SpanState.WAITING.value})
_RUN_COLUMNS = tuple(column.attname for column in Run._meta.concrete_fields)
_SUMMARY = tuple(name for name in _RUN_COLUMNS if name not in ("environment_id", "agent_id", "received_at"))
SPAN_COLUMNS = tuple(column.attname for column in Span._meta.concrete_fields)


class Arrived(Protocol):
    """A cleaned item: its place in the batch, and when it was by its sender's clock."""

    @property
    def place(self) -> int:
        """Where it stands in the batch."""

    @property
    def at(self) -> datetime:
        """When it was."""


One = TypeVar("One", bound=Arrived)
ByRun = Mapping[UUID, Sequence[One]]


class Writer(ABC, Generic[One]):
    """The state of one transaction."""

    # New runs are made in this order: writers that wait for each other's then do so in one direction.
    made_by: ClassVar[str] = "id"

    def __init__(self, instance: AgentInstance, skew_ms: int) -> None:
        self.instance = instance
        self.skew_ms = skew_ms
        self.now = timezone.now()
        self.applied = Applied()
        self.ticks: list[Row] = []
        self.events: list[Row] = []
        self.spans: dict[tuple[UUID, str], Row] = {}

    @abstractmethod
    def _lock(self, arrived: Sequence[One]) -> tuple[ByRun[One], dict[UUID, Run]]:
        """The items by run, and the runs that are there already: locked in the order of their ids, so that no two batches
        lock crosswise."""

    @abstractmethod
    def _load_stored(self, known: Mapping[UUID, Run], by_run: ByRun[One]) -> None:
        """Read what of the batch is stored already."""

    @abstractmethod
    def _apply_item(self, run: Run, one: One) -> bool:
        """Fold an item into the run and number it. False if it says nothing new. ItemError."""

    @abstractmethod
    def _arrived(self, run: Run, items: Sequence[One]) -> None:
        """Something of these was new: say so in the run's summary."""

    def write(self, arrived: Sequence[One]) -> Applied:
        """Store the items: what is good of them is written when this returns, and committed with the transaction."""
        by_run, known = self._lock(arrived)
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

    def _store(self, changed: Sequence[Run], made: Mapping[UUID, Run]) -> None:
        new = [_columns(run, _RUN_COLUMNS) for run in sorted(changed, key=attrgetter(self.made_by)) if run.id in made]
        if store.insert_new(Run, new, key=("id",)) < len(new):
            raise RunTakenError
        store.update_each(Run, [_columns(run, _SUMMARY) for run in changed if run.id not in made], key="id")
        store.insert_new(PhaseTick, self.ticks, key=("run_id", "id"))
        store.insert_new(TraceEvent, self.events, key=("run_id", "id"))
        store.insert_or_replace(Span, list(self.spans.values()), key=("run_id", "span_id"))

    def _only_mine(self, known: Mapping[UUID, Run], by_run: ByRun[One]) -> dict[UUID, Run]:
        mine = {run_id: run for run_id, run in known.items() if run.agent_id == self.instance.agent_id}
        error = NotYoursError("This run id belongs to another agent. Make a new UUIDv7 for each run.")
        for run_id in known.keys() - mine.keys():
            self.applied.refused.extend((one.place, error) for one in by_run[run_id])
        return mine

    def _blank(self, run_id: UUID, items: Sequence[One]) -> Run:
        agent = self.instance.agent
        run = blank_run(run_id, at=min(one.at for one in items), now=self.now)
        run.environment_id, run.agent_id, run.instance_id = agent.environment_id, agent.id, self.instance.id
        run.actor = f"agent:{agent.name}/{self.instance.name}"
        return run

    def _apply_to_run(self, run: Run, items: Sequence[One]) -> bool:
        """Fold each item into the run and number what is new. True if anything was."""
        accepted = sum([self._apply(run, one) for one in items])
        if not accepted:
            return False
        self.applied.accepted += accepted
        self._arrived(run, items)
        run.summary_seq = self._next_seq(run)
        return True

    def _apply(self, run: Run, one: One) -> bool:
        try:
            is_new = self._apply_item(run, one)
        except ItemError as error:
            self.applied.refused.append((one.place, error))
            return False
        self.applied.duplicates += not is_new
        return is_new

    def _take_event(self, run: Run, row: Row) -> None:
        row["seq"] = self._next_seq(run)
        run.event_count += 1
        self.events.append(row)

    def _take_span(self, run: Run, stored: Row | None, row: Row) -> None:
        """Write `row` in the place of `stored`, of which its kind and its outcome suffice."""
        fold_span(run, stored, row)
        outcome = row["outcome"]
        if row["kind"] == "tool" and outcome not in OPEN and not (stored and stored["outcome"] == outcome):
            self.applied.tools[row["name"], outcome] += 1
        row["seq"] = self._next_seq(run)
        self.spans[run.id, row["span_id"]] = row

    @staticmethod
    def _next_seq(run: Run) -> int:
        run.seq += 1
        return run.seq


def _names(run: Run) -> tuple[str, str]:
    return run.request_id, run.trace_id


def _columns(run: Run, columns: tuple[str, ...]) -> dict[str, Any]:
    return {column: getattr(run, column) for column in columns}
