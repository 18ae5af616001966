"""Matches over time: the bars above a search's results."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from agentconsole.protocol.envelope import Outcome
from traces.models import LogText
from traces.queries.search import matching_ids
from traces.queries.search_filter import SearchFilter

BARS = 48
_BAD = frozenset({
    "error", "critical", "warning", *(one.value for one in Outcome if not one.has_data),
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Bar:
    """The matches within a time: at `x` of a width of 10, `good` and `bad` as heights within 100."""

    since: datetime
    until: datetime
    good: int
    bad: int
    x: int
    highest: int

    @property
    def total(self) -> int:
        """How many."""
        return self.good + self.bad

    @property
    def bad_height(self) -> float:
        """Its upper part."""
        return round(100 * self.bad / self.highest, 2)

    @property
    def good_height(self) -> float:
        """Its lower part."""
        return round(100 * self.good / self.highest, 2)

    @property
    def top(self) -> float:
        """Where it begins, from above."""
        return round(100 - self.bad_height - self.good_height, 2)

    @property
    def middle(self) -> float:
        """Where its lower part begins."""
        return round(100 - self.good_height, 2)


@dataclass(frozen=True, slots=True)
class Counts:
    """Bars from `since` to `until`. `is_cut`: only the newest matches are counted, and the bars begin with the oldest of them."""

    bars: Sequence[Bar]
    total: int
    is_cut: bool

    @property
    def since(self) -> datetime:
        """Where the axis begins."""
        return self.bars[0].since

    @property
    def until(self) -> datetime:
        """Where the axis ends."""
        return self.bars[-1].until

    @property
    def width(self) -> int:
        """The width of all bars."""
        return BARS * 10


def counts(chosen: SearchFilter, now: datetime) -> Counts:
    """The newest matches by time. Two queries."""
    ids, is_cut = matching_ids(chosen)
    found = list(LogText.objects.filter(id__in=ids).values_list("at", "level", "outcome"))
    since = max(chosen.since, min((at for at, _, _ in found), default=chosen.since)) if is_cut else chosen.since
    width = max((now - since) / BARS, timedelta(seconds=1))
    good, bad = Counter[int](), Counter[int]()
    for at, level, outcome in found:
        number = min(max(int((at - since) / width), 0), BARS - 1)
        (bad if level in _BAD or outcome in _BAD else good)[number] += 1
    highest = max((good[number] + bad[number] for number in range(BARS)), default=0) or 1
    bars = [
        Bar(since + number * width, since + (number + 1) * width, good[number], bad[number], number * 10, highest)
        for number in range(BARS)
    ]
    return Counts(bars, len(found), is_cut)
