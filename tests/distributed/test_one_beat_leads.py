"""Of several beats one leads and sends; the others stand by, and one of them takes its place when it is gone."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from celery import Celery
from django.db import OperationalError
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError

from agentconsole.models import ComponentBeat
from agentconsole.schedule import lead, scheduler
from agentconsole.schedule.lead import LEASE_S, TRUSTED_S, Lead
from agentconsole.schedule.scheduler import ConsoleScheduler
from agentconsole.schedule.services import NOBODY

pytestmark = pytest.mark.django_db(transaction=True)
OFTEN, RARELY = 5, 60


class Clock:
    """Both clocks: `wait` moves them on, `jump` only the wall's."""

    def __init__(self) -> None:
        self.steady, self.wall = 1000.0, timezone.now().timestamp()

    def monotonic(self) -> float:
        return self.steady

    def time(self) -> float:
        return self.wall

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.wall, tz=UTC)

    def wait(self, seconds: float) -> None:
        self.steady += seconds
        self.wall += seconds

    def jump(self, seconds: float) -> None:
        self.wall += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(lead, "time", clock)
    monkeypatch.setattr(scheduler, "time", clock)
    monkeypatch.setattr(timezone, "now", clock.now)
    return clock


@pytest.fixture
def app(clock: Clock) -> Iterator[Celery]:
    """Two entries, and a broker in memory."""
    app = Celery("schedule", broker="memory://", set_as_current=False)
    app.now = clock.now  # type: ignore[method-assign]
    app.conf.beat_schedule = {
        "often": {"task": "often", "schedule": OFTEN},
        "rarely": {"task": "rarely", "schedule": RARELY},
    }
    app.conf.beat_max_loop_interval = 1
    yield app
    app.close()


class Beat(ConsoleScheduler):
    """Notes what it sends, instead of sending it."""

    def __init__(self, app: Celery, clock: Clock) -> None:
        self.sent: list[tuple[str, float]] = []
        self.clock = clock
        self.broker_error: Exception | None = None
        super().__init__(app=app)

    @property
    def producer(self) -> Any:
        return None

    def apply_async(self, entry: Any, *args: Any, **kwargs: Any) -> None:
        if self.broker_error:
            raise self.broker_error
        self.sent.append((entry.name, self.clock.steady))

    def names(self) -> list[str]:
        return [name for name, _at in self.sent]


def live(clock: Clock, *beats: Beat, for_s: float) -> None:
    """The beats' loops, side by side."""
    until = clock.steady + for_s
    while clock.steady < until:
        for beat in beats:
            while not beat.tick():
                pass
        clock.wait(1)


def test_only_the_leader_sends_and_the_other_says_once_that_it_stands_by(app, clock, logged):
    one, two = Beat(app, clock), Beat(app, clock)
    live(clock, one, two, for_s=51)
    assert one.names() == ["often"] * 10
    assert two.names() == []
    assert [line["leader"] for line in logged("BEAT_STANDS_BY")] == [one._lead.name]
    assert ComponentBeat.objects.get(component="beat").detail == one._lead.name


def test_another_one_takes_over_within_the_lease_and_nothing_is_sent_twice_in_a_period(app, clock):
    one, two = Beat(app, clock), Beat(app, clock)
    live(clock, one, two, for_s=RARELY + 7)
    died_at = clock.steady
    live(clock, two, for_s=30)
    assert two._lead.is_held()
    sent = sorted(one.sent + two.sent, key=lambda item: item[1])
    often = [at for name, at in sent if name == "often"]
    assert min(later - earlier for earlier, later in pairwise(often)) >= OFTEN - 0.5
    assert two.sent[0][1] - died_at <= LEASE_S + OFTEN + 2
    assert [name for name, _at in sent].count("rarely") == 1


def test_a_leader_that_was_stopped_notices_before_it_sends(app, clock):
    one, two = Beat(app, clock), Beat(app, clock)
    live(clock, one, two, for_s=7)
    before = len(one.sent)
    live(clock, two, for_s=30)
    live(clock, one, two, for_s=30)
    assert len(one.sent) == before
    assert "often" in two.names()


def test_a_leader_that_was_stopped_between_looking_and_sending_sends_nothing(app, clock):
    one = Beat(app, clock)
    live(clock, one, for_s=2)
    clock.wait(TRUSTED_S)
    one.apply_entry(one.schedule["often"])
    assert one.sent == []


def test_a_rare_entry_is_sent_once_a_period_though_two_believe_that_they_lead(app, clock):
    one, two = Beat(app, clock), Beat(app, clock)
    live(clock, one, for_s=2)
    two._lead._renewed = clock.monotonic(), clock.time()
    ComponentBeat.objects.filter(component="schedule: rarely").update(beat_at=clock.now() - timedelta(seconds=RARELY))
    for beat in (one, two):
        beat.apply_entry(beat.schedule["rarely"])
    assert [one.names(), two.names()] == [["rarely"], []]


def test_a_leader_that_ends_in_order_is_followed_at_once(app, clock):
    one, two = Beat(app, clock), Beat(app, clock)
    live(clock, one, two, for_s=4)
    one.close()
    assert ComponentBeat.objects.get(component="beat").detail == NOBODY
    live(clock, two, for_s=1)
    assert two._lead.is_held()


def test_a_rare_entry_goes_on_where_the_beat_before_left_off(app, clock):
    one = Beat(app, clock)
    live(clock, one, for_s=RARELY - 10)
    one.close()
    two = Beat(app, clock)
    live(clock, two, for_s=12)
    assert "rarely" in two.names()


@pytest.mark.parametrize("seconds", [-7200, 7200])
def test_a_clock_that_jumps_changes_nothing(app, clock, seconds: float):
    one, two = Beat(app, clock), Beat(app, clock)
    live(clock, one, two, for_s=21)
    clock.jump(seconds)
    live(clock, one, two, for_s=30)
    gaps = [later[1] - earlier[1] for earlier, later in pairwise(one.sent)]
    assert set(one.names()) == {"often"}
    assert two.names() == []
    assert (min(gaps), max(gaps) <= OFTEN + 1) == (OFTEN, True)


def test_a_beat_whose_machine_slept_looks_before_it_sends(clock):
    one = Lead()
    assert one.look()
    clock.jump(60)  # the steady clock stands still while a machine sleeps
    assert not one.is_held()


def test_the_row_of_a_console_that_was_killed_yesterday_holds_up_nobody(clock):
    ComponentBeat.objects.create(component="beat", beat_at=clock.now() - timedelta(days=1), detail="old:1 leads (ab)")
    assert Lead().look()


def test_what_the_broker_did_not_take_is_sent_again_and_said_once(app, clock, logged):
    one = Beat(app, clock)
    live(clock, one, for_s=2)
    one.broker_error = BrokerError("refused")
    live(clock, one, for_s=30)
    assert one.sent == []
    assert one._lead.is_held()
    one.broker_error = None
    live(clock, one, for_s=4)
    assert one.names() == ["often"]
    assert [line["error"] for line in logged("BEAT_HELD_UP")] == ["OperationalError: refused"]


def test_without_its_database_a_beat_sends_for_a_moment_only_and_then_goes_on(app, clock, monkeypatch, logged):
    one = Beat(app, clock)
    live(clock, one, for_s=2)
    with monkeypatch.context() as patched:

        def refuse(*args: Any) -> bool:
            raise OperationalError("gone")

        patched.setattr(lead, "keep_lead", refuse)
        live(clock, one, for_s=40)
        assert one.names() in (["often"], ["often", "often"])
        one.sent.clear()
    live(clock, one, for_s=12)
    assert one.names() == ["often", "often"]
    assert len(logged("BEAT_HELD_UP")) == 1
