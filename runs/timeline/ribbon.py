"""From phase ticks to the bands of the ribbon. The same rules as static/js/run/ribbon.js, which adds heartbeats and gaps."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from agentconsole.protocol.ids import uuid7_of
from runs.models import PhaseTick, Span, TickState
from runs.timeline.state import Stretch
from runs.wording import duration_text

PHASE_COLOURS = 8
_WORTH_NAMING = 0.01


@dataclass(slots=True)
class Band:
    """One stay in a phase. `lane` is above 0 where phases overlap; `colour` counts phases from 1 in their first order."""

    phase: str
    start: datetime
    end: datetime | None
    last_tick_at: datetime
    is_entered: bool
    is_left: bool
    is_open: bool = False
    colour: int = 1
    lane: int = 0


@dataclass(frozen=True, slots=True)
class Share:
    """How long a phase took of the whole; the time in no phase has no name."""

    phase: str
    colour: int
    length: timedelta
    share: float
    is_open: bool

    @property
    def text(self) -> str:
        """The time it took."""
        return duration_text(max(self.length / timedelta(milliseconds=1), 0))

    @property
    def percent(self) -> str:
        """`46 %`; what is not nothing never reads as nothing."""
        return "<1 %" if 0 < self.share < _WORTH_NAMING / 2 else f"{self.share * 100:.0f} %"


def ticks_of(spans: Iterable[Span]) -> list[PhaseTick]:
    """What ticks would tell of the phases of spans: each was entered with a span, and left as it ended."""
    found = []
    for span in spans:
        for state, at in ((TickState.ENTERED, span.started_at), (TickState.LEFT, span.ended_at)):
            if at is not None:
                digest = hashlib.sha256(f"{span.span_id} {state}".encode()).digest()
                found.append(
                    PhaseTick(run_id=span.run_id, id=uuid7_of(at, digest), at=at, phase=span.phase, state=state, seq=0)
                )
    return found


def bands_of(ticks: Sequence[PhaseTick], stretch: Stretch) -> list[Band]:
    """The stays in phases that ticks tell of, in their order of time. Ticks come in any order, and may be missing."""
    found: list[Band] = []
    for tick in sorted(ticks, key=lambda tick: (tick.at, str(tick.id))):
        _place(found, tick)
    found.sort(key=lambda band: band.start)
    for band in found:
        _close(band, found, stretch)
    _colour(found)
    _assign_lanes(found)
    return found


def _place(found: list[Band], tick: PhaseTick) -> None:
    open_band = next((band for band in reversed(found) if band.phase == tick.phase and band.end is None), None)
    is_left = tick.state == TickState.LEFT
    if tick.state != TickState.ENTERED and open_band is not None:
        open_band.last_tick_at = tick.at
        if is_left:
            open_band.end, open_band.is_left = tick.at, True
        return
    found.append(
        Band(
            phase=tick.phase,
            start=tick.at,
            end=tick.at if is_left else None,
            last_tick_at=tick.at,
            is_entered=tick.state == TickState.ENTERED,
            is_left=is_left,
        )
    )


def _close(band: Band, found: list[Band], stretch: Stretch) -> None:
    if band.end is not None:
        return
    later = (
        other for other in found if other is not band and other.start >= band.last_tick_at and other.start > band.start
    )
    following = next(later, None)
    band.end = following.start if following else max(stretch.end, band.last_tick_at)
    band.is_open = stretch.is_live and following is None


def _colour(found: list[Band]) -> None:
    order: dict[str, int] = {}
    for band in found:
        band.colour = order.setdefault(band.phase, len(order)) % PHASE_COLOURS + 1


def _assign_lanes(found: list[Band]) -> None:
    ends: list[datetime] = []
    for band in found:
        end = _end(band)
        band.lane = next((lane for lane, free_at in enumerate(ends) if free_at <= band.start), len(ends))
        ends[band.lane : band.lane + 1] = [end]


def waits_of(spans: Sequence[Span], stretch: Stretch) -> list[tuple[datetime, datetime]]:
    """The stretches in which the run waited on a person; what still waits does so until the end."""
    return [(span.started_at, span.ended_at or max(stretch.end, span.started_at)) for span in spans]


def shares_of(found: Sequence[Band], stretch: Stretch) -> list[Share]:
    """How long each phase took and its share of the whole, longest first; time in no phase comes last, if it matters."""
    lengths: dict[str, timedelta] = {}
    for band in found:
        lengths[band.phase] = lengths.get(band.phase, timedelta()) + (_end(band) - band.start)
    colours = {band.phase: band.colour for band in found}
    is_open = {band.phase for band in found if band.is_open}
    rows = [
        Share(phase, colours[phase], length, length / stretch.length, phase in is_open)
        for phase, length in sorted(lengths.items(), key=lambda item: -item[1])
    ]
    outside = stretch.length - _covered(found, stretch)
    if rows and outside / stretch.length >= _WORTH_NAMING:
        rows.append(Share("", 0, outside, outside / stretch.length, is_open=False))
    return rows


def _covered(found: Sequence[Band], stretch: Stretch) -> timedelta:
    total, reached = timedelta(), stretch.start
    for band in found:
        end = min(_end(band), stretch.end)
        total += max(end - max(band.start, reached), timedelta())
        reached = max(reached, end)
    return total


def _end(band: Band) -> datetime:
    return band.end or band.start
