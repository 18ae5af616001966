"""Times, durations and states in words."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentconsole.protocol.context import Transport
from agentconsole.protocol.envelope import Outcome, SpanState
from agentconsole.protocol.tokens import Level
from runs.models import RunStatus
from runs.wording import BADGES, TRANSPORT_ICONS, badge_of, duration_text, exact_text, relative_text

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [(0, "0 ms"), (999.9, "999 ms"), (1000, "1.0 s"), (9999, "9.9 s"), (10_000, "10 s"), (59_999, "59 s"),
     (60_000, "1 min"), (125_000, "2 min 5 s"), (3_599_999, "59 min 59 s"), (3_600_000, "1 h"), (11_400_000, "3 h 10 min"),
     (86_399_999, "23 h 59 min"), (86_400_000, "1 d"), (356_400_000, "4 d 3 h")],
)  # fmt: skip
def test_a_duration_has_units_and_two_of_them_at_most(milliseconds: float, text: str):
    assert duration_text(milliseconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "now"), (0.9, "now"), (1, "1 s ago"), (59.9, "59 s ago"), (60, "1 min ago"), (7200, "2 h ago"),
     (400_000, "4 d ago"), (-20, "in 20 s"), (-0.5, "now")],
)  # fmt: skip
def test_a_time_is_told_from_now(seconds: float, text: str):
    assert relative_text(NOW - timedelta(seconds=seconds), NOW) == text


@given(st.integers(min_value=0, max_value=10**12))
def test_every_duration_can_be_said(milliseconds: int):
    assert duration_text(milliseconds)


def test_the_exact_time_is_utc_to_the_millisecond():
    at = datetime.fromisoformat("2026-03-01T10:30:00.250999+01:00")
    assert exact_text(at) == "2026-03-01 09:30:00.250 UTC"


def test_every_status_outcome_and_level_has_an_icon_a_word_and_a_colour():
    words = {*RunStatus.values, *Outcome, *SpanState, *Level}
    assert words <= BADGES.keys()
    assert badge_of("brand_new").word == "brand new"


def test_every_transport_has_an_icon():
    assert {door.value for door in Transport} == TRANSPORT_ICONS.keys()
