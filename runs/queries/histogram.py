"""Runs over time by status: the bars above the list."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Count, Func, IntegerField, QuerySet
from django.db.models.sql.compiler import SQLCompiler

from runs.models import Run
from runs.queries.run_filter import RunFilter
from runs.wording import badge_of

BARS = 60
DEFAULT_WINDOW = timedelta(hours=24)
_WIDTHS_S = (5, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14400, 28800, 43200, 86400, 604800)
# From the bottom of a bar to its top: what went wrong is on top, where it shows.
_STACK = ("succeeded", "running", "queued", "waiting", "cancelled", "stalled", "timed_out", "failed")


class BucketOf(Func):
    """The number of the bucket that a time falls into: whole widths since a start, both in seconds."""

    output_field = IntegerField()

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra: Any) -> tuple[str, Any]:
        """SQLite keeps times as text."""
        template = "((CAST(strftime('%%%%s', %(expressions)s) AS INTEGER) - %(start)d) / %(width)d)"
        return self.as_sql(compiler, connection, template=template, **extra)

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra: Any) -> tuple[str, Any]:
        """FLOOR, because a cast would round."""
        template = "FLOOR((EXTRACT(EPOCH FROM %(expressions)s) - %(start)d) / %(width)d)::int"
        return self.as_sql(compiler, connection, template=template, **extra)


@dataclass(slots=True)
class Bar:
    """The runs that started within [since, until)."""

    since: datetime
    until: datetime
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """How many started."""
        return sum(self.counts.values())

    @property
    def stack(self) -> list[tuple[str, int]]:
        """Counts by status, from the bottom up."""
        return [(status, self.counts[status]) for status in _STACK if status in self.counts]


@dataclass(frozen=True, slots=True)
class Column:
    """A bar as it is drawn: at `x` of a width of 10, its pieces `(status, role, y, height)` within a height of 100."""

    bar: Bar
    x: int
    pieces: list[tuple[str, str, float, float]]


@dataclass(frozen=True, slots=True)
class Histogram:
    """Bars of one width over the window of a list."""

    bars: Sequence[Bar]
    width: timedelta

    @property
    def highest(self) -> int:
        """The total of the highest bar, at least 1."""
        return max((bar.total for bar in self.bars), default=0) or 1

    @property
    def total(self) -> int:
        """How many runs all bars count."""
        return sum(bar.total for bar in self.bars)

    @property
    def since(self) -> datetime:
        """Where the axis begins."""
        return self.bars[0].since

    @property
    def until(self) -> datetime:
        """Where the axis ends."""
        return self.bars[-1].until

    @property
    def middle(self) -> datetime:
        """The middle of the axis."""
        return self.since + (self.until - self.since) / 2

    @property
    def width_ms(self) -> float:
        """What one bar spans."""
        return self.width / timedelta(milliseconds=1)

    @property
    def drawn_width(self) -> int:
        """The width of all columns."""
        return len(self.bars) * 10

    @property
    def columns(self) -> list[Column]:
        """The bars as they are drawn."""
        return [Column(bar, index * 10, list(_pieces(bar, self.highest))) for index, bar in enumerate(self.bars)]

    @property
    def legend(self) -> list[tuple[str, int]]:
        """How many runs of each status all bars count."""
        totals = ((status, sum(bar.counts.get(status, 0) for bar in self.bars)) for status in _STACK)
        return [(status, total) for status, total in totals if total]


def _pieces(bar: Bar, highest: int) -> Iterator[tuple[str, str, float, float]]:
    y = 100.0
    for status, count in bar.stack:
        height = count / highest * 100
        y -= height
        yield status, badge_of(status).role, round(y, 2), round(height, 2)


def histogram(chosen: RunFilter, now: datetime) -> Histogram:
    """Runs by time and status within the filter's window, or the last day where it has none. One query."""
    until = chosen.until or now
    since = chosen.since or until - DEFAULT_WINDOW
    width_s = _width_s(max((until - since).total_seconds(), 1))
    start_s = int(since.timestamp()) // width_s * width_s
    count = (int(until.timestamp()) - start_s) // width_s + 1
    bars = [_bar(start_s + index * width_s, width_s) for index in range(count)]
    for number, status, runs in _counts(chosen, since, until, start_s, width_s):
        if 0 <= number < count:
            bars[number].counts[status] = runs
    return Histogram(bars, timedelta(seconds=width_s))


def _counts(
    chosen: RunFilter, since: datetime, until: datetime, start_s: int, width_s: int
) -> Iterable[tuple[int, str, int]]:
    found = Run.objects.filter(chosen.conditions(), environment__in=chosen.environments)
    found = found.filter(started_at__gte=since, started_at__lt=until)
    bucket = BucketOf("started_at", start=start_s, width=width_s)

    def counted(runs: QuerySet[Run]) -> QuerySet[Run, tuple[int, str, int]]:
        return runs.values_list(bucket, "status").annotate(runs=Count("*")).order_by()

    if chosen.agent:
        return counted(found.filter(agent__name=chosen.agent))
    if chosen.is_walking:
        return counted(found)
    # Status by status: so each part is answered by the index (environment, status, started_at) alone. In one go SQLite
    # takes another index and looks at every row of the window: a week of a million runs took 495 ms, and so 110.
    first, *rest = (counted(found.filter(status=status)) for status in chosen.statuses)
    return first.union(*rest, all=True)


def _width_s(span_s: float) -> int:
    return next((width for width in _WIDTHS_S if span_s / width <= BARS), int(span_s / BARS) + 1)


def _bar(start_s: int, width_s: int) -> Bar:
    since = datetime.fromtimestamp(start_s, UTC)
    return Bar(since, since + timedelta(seconds=width_s))
