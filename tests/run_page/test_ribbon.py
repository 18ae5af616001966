"""Phases come from ticks in any order; what was not received is said, not guessed away."""

import random
import uuid
from datetime import UTC, datetime, timedelta

from runs.models import PhaseTick
from runs.timeline.drawn import ribbon_of
from runs.timeline.ribbon import Band, bands_of, shares_of
from runs.timeline.state import Stretch

START = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


def at(second: float) -> datetime:
    return START + timedelta(seconds=second)


def ticks(*told: tuple[float, str, str]) -> list[PhaseTick]:
    return [PhaseTick(id=uuid.uuid4(), at=at(second), phase=phase, state=state) for second, phase, state in told]


def stretch(seconds: float, *, is_live: bool = False) -> Stretch:
    return Stretch(START, at(seconds), is_live)


def end_of(band: Band) -> float:
    assert band.end is not None
    return (band.end - START).total_seconds()


def spans_of(bands: list[Band]) -> list[tuple[str, float, float]]:
    return [(band.phase, (band.start - START).total_seconds(), end_of(band)) for band in bands]


TOLD = [(0, "plan", "entered"), (4, "plan", "left"), (4, "gather", "entered"), (50, "gather", "left")]


def test_bands_are_the_same_in_any_order_of_ticks():
    shuffled = ticks(*TOLD)
    for _ in range(10):
        random.shuffle(shuffled)
        assert spans_of(bands_of(shuffled, stretch(60))) == [("plan", 0, 4), ("gather", 4, 50)]


def test_a_phase_that_was_never_left_ends_where_the_next_begins():
    first, second = bands_of(ticks((0, "plan", "entered"), (9, "act", "entered")), stretch(20))
    assert (end_of(first), first.is_left, first.is_open) == (9, False, False)
    assert (end_of(second), second.is_open) == (20, False)


def test_the_last_phase_of_a_live_run_is_open():
    (band,) = bands_of(ticks((0, "plan", "entered")), stretch(20, is_live=True))
    assert band.is_open


def test_a_phase_whose_entry_was_lost_begins_at_its_first_tick_and_says_so():
    (drawn,) = ribbon_of(ticks((5, "act", "alive"), (9, "act", "left")), stretch(20)).bands
    assert "its entry was not received" in drawn.label


def test_overlapping_phases_stand_in_lanes():
    told = ticks((0, "outer", "entered"), (5, "inner", "entered"), (8, "inner", "left"), (20, "outer", "left"))
    assert [(band.phase, band.lane) for band in bands_of(told, stretch(20))] == [("outer", 0), ("inner", 1)]


def test_a_phase_entered_again_keeps_its_colour_and_adds_up():
    told = ticks(*TOLD, (50, "plan", "entered"), (60, "plan", "left"))
    bands = bands_of(told, stretch(60))
    assert [band.colour for band in bands] == [1, 2, 1]
    shares = {share.phase: share.length.total_seconds() for share in shares_of(bands, stretch(60))}
    assert shares == {"gather": 46, "plan": 14}


def test_time_in_no_phase_is_named_last():
    shares = shares_of(bands_of(ticks(*TOLD), stretch(100)), stretch(100))
    assert [(share.phase, share.percent) for share in shares] == [("gather", "46 %"), ("plan", "4 %"), ("", "50 %")]


def test_the_answer_names_where_most_of_the_time_went():
    assert ribbon_of(ticks(*TOLD), stretch(90)).answer == "46 s in gather, 51 % of the run"


def test_a_sliver_is_never_said_to_be_nothing():
    told = ticks((0, "blink", "entered"), (0.01, "blink", "left"), (0.01, "long", "entered"), (100, "long", "left"))
    assert [share.percent for share in shares_of(bands_of(told, stretch(100)), stretch(100))] == ["100 %", "<1 %"]
