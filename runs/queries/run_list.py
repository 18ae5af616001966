"""The run list: a page of rows by keyset, and where each run's time went."""

import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet, Window
from django.db.models.functions import Left, RowNumber

from runs.models import Agent, PhaseTick, Run, TickState
from runs.queries.run_filter import Cursor, RunFilter
from runs.timeline.ribbon import Band, bands_of
from runs.timeline.state import State, Stretch, state_of, stretch_of

ROWS_A_PAGE = 50
QUERY_SHOWN = 160
TICKS_A_RUN = 200
_NOT_SHOWN = ("query", "summary", "error", "attributes", "cut")


@dataclass(frozen=True, slots=True)
class BarPiece:
    """A stay in a phase, as a part of the run's bar: `left` and `width` in percent of it."""

    phase: str
    colour: int
    left: float
    width: float
    milliseconds: float


@dataclass(slots=True)
class RunRow:
    """A run as the list shows it."""

    run: Run
    state: State
    stretch: Stretch
    bar: list[BarPiece] = field(default_factory=list)

    @property
    def tools(self) -> list[tuple[str, int]]:
        """Calls by outcome, most first."""
        return sorted(self.run.tools.items(), key=lambda item: (-item[1], item[0]))

    @property
    def length_ms(self) -> int:
        """What its bar spans."""
        return round(self.stretch.length / timedelta(milliseconds=1))

    @property
    def has_more_query(self) -> bool:
        """Whether the query goes on after what is shown of it."""
        return len(getattr(self.run, "query_head", "")) == QUERY_SHOWN


@dataclass(frozen=True, slots=True)
class RunPage:
    """Rows, newest first, and the cursor of the page after them."""

    rows: Sequence[RunRow]
    next_cursor: Cursor | None = None


def run_page(chosen: RunFilter, cursor: Cursor | None, now: datetime, limit: int = ROWS_A_PAGE) -> RunPage:
    """A page of the list. One query for each environment in view (for an agent: one, and one for each environment that
    has it), and one for the ticks of all its rows.

    Each source is read by its own index and merged here: neither database merges them in one statement, it would sort
    every row of all of them.
    """
    found: list[Run] = []
    for source in _sources(chosen):
        rows = source.filter(chosen.conditions())
        if cursor:
            rows = rows.filter(cursor.older())
        found += rows.order_by("-started_at", "-id")[: limit + 1]
    found.sort(key=lambda run: (run.started_at, run.id), reverse=True)
    page = found[:limit]
    last = Cursor(page[-1].started_at, page[-1].id) if len(found) > limit else None
    return RunPage(_with_bars(page, now), last)


def _sources(chosen: RunFilter) -> Iterator[QuerySet[Run]]:
    rows = Run.objects.select_related("agent").defer(*_NOT_SHOWN)
    rows = rows.annotate(query_head=Left("query", QUERY_SHOWN))
    if chosen.agent:
        agents = Agent.objects.filter(environment__in=chosen.environments, name=chosen.agent)
        return (rows.filter(agent_id=agent_id) for agent_id in list(agents.values_list("id", flat=True)))
    return (rows.filter(environment=environment) for environment in chosen.environments)


def rows_of_runs(run_ids: Sequence[uuid.UUID], environments: Sequence[str], now: datetime) -> list[RunRow]:
    """The rows of some runs; those that are not visible are left out. Two queries."""
    runs = Run.objects.filter(id__in=run_ids, environment__in=environments)
    return _with_bars(list(runs.defer(*_NOT_SHOWN)), now)


def _with_bars(runs: Sequence[Run], now: datetime) -> list[RunRow]:
    by_run: dict[uuid.UUID, list[PhaseTick]] = defaultdict(list)
    for tick in _ticks_of(runs):
        by_run[tick.run_id].append(tick)
    rows = [RunRow(run, state_of(run, now), stretch_of(run, now)) for run in runs]
    for row in rows:
        row.bar = _bar(by_run[row.run.id], row.stretch)
    return rows


def _ticks_of(runs: Sequence[Run]) -> QuerySet[PhaseTick]:
    """Entries and exits of each run, the first TICKS_A_RUN of them, by the index tick_ribbon."""
    number = Window(RowNumber(), partition_by=F("run_id"), order_by="at")
    ticks = PhaseTick.objects.filter(~Q(state=TickState.ALIVE), run__in=[run.id for run in runs])
    return ticks.annotate(number=number).filter(number__lte=TICKS_A_RUN).order_by("run_id", "at")


def _bar(ticks: Sequence[PhaseTick], stretch: Stretch) -> list[BarPiece]:
    # Of a run with more ticks than are read, the bar tells the part up to the last of them.
    told = Stretch(stretch.start, ticks[-1].at) if len(ticks) == TICKS_A_RUN else stretch
    pieces = (_piece(band, stretch) for band in bands_of(ticks, told))
    return [piece for piece in pieces if piece.width > 0]


def _piece(band: Band, stretch: Stretch) -> BarPiece:
    end = band.end or band.start
    left = min(max(stretch.percent(band.start), 0), 100)
    right = min(max(stretch.percent(end), 0), 100)
    spent = (end - band.start).total_seconds() * 1000
    return BarPiece(band.phase, band.colour, round(left, 2), round(right - left, 2), spent)
