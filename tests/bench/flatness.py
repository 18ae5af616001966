"""Whether a figure stays where it is: by the median of all slopes (Theil and Sen), which a few outliers don't move."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations


@dataclass(frozen=True, slots=True)
class Limit:
    """What a figure may grow by, from the beginning to the end: a share of its median, or `slack` of its unit, if that is more."""

    share: float
    slack: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """A figure's median, and what its slope comes to over the whole time."""

    name: str
    median: float
    growth: float
    is_flat: bool

    def __str__(self) -> str:
        share = f"{self.growth / self.median * 100:+.1f} %" if self.median else "-"
        return f"{self.name:<24} median {self.median:>9.1f}  grows by {self.growth:>+8.1f} ({share})  " + (
            "flat" if self.is_flat else "NOT FLAT"
        )


def slope(points: Sequence[tuple[float, float]]) -> float:
    """The median slope between any two points; 0 of fewer than two."""
    slopes = [(y2 - y1) / (x2 - x1) for (x1, y1), (x2, y2) in combinations(points, 2) if x1 != x2]
    return statistics.median(slopes) if slopes else 0.0


def judged(name: str, points: Sequence[tuple[float, float]], limit: Limit) -> Verdict:
    """Of points (time, figure): flat unless it grows by more than the limit. What falls is flat."""
    median = statistics.median(figure for _at, figure in points) if points else 0.0
    growth = slope(points) * (points[-1][0] - points[0][0]) if points else 0.0
    return Verdict(name, median, growth, growth <= max(limit.share * median, limit.slack))
