"""Bands of the ribbon as the page draws them: percentages of the run's width, and words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from runs.models import PhaseTick, Span
from runs.timeline.ribbon import Band, Share, bands_of, shares_of, waits_of
from runs.timeline.state import Stretch
from runs.wording import duration_text

LANE_HEIGHT = 32
_THINNEST = 0.15


@dataclass(frozen=True, slots=True)
class DrawnBand:
    """A band with its place: `x` and `width` in percent of the ribbon, `y` in pixels."""

    band: Band
    x: str
    width: str
    y: int
    took: str
    share: Share

    @property
    def label(self) -> str:
        """What a screen reader and a hovering pointer are told."""
        notes = [
            *(["still in it"] if self.band.is_open else []),
            *([] if self.band.is_entered else ["its entry was not received"]),
            *([] if self.band.is_left or self.band.is_open else ["its exit was not received"]),
        ]
        return ", ".join([self.band.phase, self.took, self.share.percent, *notes])


@dataclass(frozen=True, slots=True)
class DrawnWait:
    """A wait on a person, in percent of the ribbon."""

    x: str
    width: str


@dataclass(frozen=True, slots=True)
class Ribbon:
    """The ribbon's first paint: entries and exits, waits for people. Heartbeats and gaps come with the log."""

    bands: Sequence[DrawnBand]
    waits: Sequence[DrawnWait]
    shares: Sequence[Share]
    ticks: Sequence[PhaseTick]
    is_bounded: bool

    @property
    def height(self) -> int:
        """Of all its lanes, in pixels."""
        return LANE_HEIGHT * (1 + max((drawn.band.lane for drawn in self.bands), default=0))

    @property
    def answer(self) -> str:
        """Where the time went, in one sentence."""
        if not self.shares:
            return ""
        most = max(self.shares, key=lambda share: share.length)
        where = f"in {most.phase}" if most.phase else "in no phase"
        return f"{most.text} {where}, {most.percent} of the run"


def ribbon_of(
    ticks: Sequence[PhaseTick], stretch: Stretch, *, waits: Sequence[Span] = (), is_bounded: bool = False
) -> Ribbon:
    """The ribbon of a run's entries and exits and of its waits; `is_bounded` says that there is more than was read."""
    bands = bands_of(ticks, stretch)
    shares = shares_of(bands, stretch)
    by_phase = {share.phase: share for share in shares}
    return Ribbon(
        bands=[_drawn(band, stretch, by_phase[band.phase]) for band in bands],
        waits=[DrawnWait(*_place(stretch, start, end)) for start, end in waits_of(waits, stretch)],
        shares=shares,
        ticks=ticks,
        is_bounded=is_bounded,
    )


def _drawn(band: Band, stretch: Stretch, share: Share) -> DrawnBand:
    end = band.end or band.start
    length = (end - band.start) / timedelta(milliseconds=1)
    x, width = _place(stretch, band.start, end)
    return DrawnBand(band, x, width, band.lane * LANE_HEIGHT, duration_text(length), share)


def _place(stretch: Stretch, start: datetime, end: datetime) -> tuple[str, str]:
    x = min(max(stretch.percent(start), 0), 100 - _THINNEST)
    width = min(max(stretch.percent(end) - x, _THINNEST), 100 - x)
    return f"{x:.3f}%", f"{width:.3f}%"
