"""The last 25 hours: written by one process, never green where nobody looked, and no more rows than 1,501."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import OperationalError

from agentconsole.health import recorder as recording
from agentconsole.health.board import Board
from agentconsole.health.minutes import WHOLE, Minute
from agentconsole.health.proof import Proof
from agentconsole.health.recorder import Recorder
from agentconsole.health.services import write_minutes
from agentconsole.health.strips import Strip, last_recorded_fault, recorded_minutes, strip_of
from agentconsole.models import HealthMinute
from tests.health.conftest import NOW

pytestmark = pytest.mark.django_db
# A recorder writes from a thread.
from_a_thread = pytest.mark.django_db(transaction=True)
MINUTE = timedelta(minutes=1)


def lived(first: datetime, minutes: int, *, samples: int = 60, state: str = "ok") -> list[Minute]:
    """So many whole minutes of one state."""
    whole = "ok" if state == "ok" else "failing"
    faults = {"engine": "out of fuel"} if state == "failing" else {}
    return [Minute(first + n * MINUTE, samples, {"engine": state, WHOLE: whole}, dict(faults)) for n in range(minutes)]


def strip(name: str = "engine") -> Strip:
    return strip_of(name, recorded_minutes(NOW), NOW)


def write(recorder: Recorder) -> None:
    asyncio.run(recorder.write())


def watched(recorder: Recorder, seconds: int, clock: time_machine.Traveller) -> None:
    """Look once a second."""
    for _ in range(seconds):
        recorder.look()
        clock.shift(1)


@from_a_thread
def test_two_processes_watch_and_one_writes(board: Board, noon: time_machine.Traveller):
    board.prove("engine", Proof(NOW))
    first, second = Recorder(board, name="one:1"), Recorder(board, name="two:2")
    for _ in range(2):
        for recorder in (first, second):
            recorder.look()
            write(recorder)
    row = HealthMinute.objects.get()
    assert (row.minute, row.samples) == (NOW, 2)
    assert row.states == {"engine": "ok", "radio": "failing", "console": "ok"}


@from_a_thread
def test_another_process_goes_on_when_the_writer_is_gone(board: Board, noon: time_machine.Traveller):
    for name, seconds in (("one:1", 0), ("two:2", 29), ("two:2", 2)):
        noon.shift(seconds)
        recorder = Recorder(board, name=name)
        recorder.look()
        write(recorder)
    assert HealthMinute.objects.get().samples == 2


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Set once a recorder, which looks all the time, has looked at its board."""
    event = asyncio.Event()
    monkeypatch.setattr(recording, "LOOK_EVERY_S", 0.001)
    monkeypatch.setattr(Recorder, "look", lambda _recorder: event.set())
    return event


async def test_a_start_is_no_fault(board: Board, looked: asyncio.Event):
    started = asyncio.Event()
    recorder = Recorder(board, started=started.wait)
    recorder.start()
    await asyncio.sleep(0.02)
    assert not looked.is_set()
    started.set()
    await asyncio.wait_for(looked.wait(), 5)
    recorder._task.cancel()


async def test_a_start_that_takes_too_long_is_one(board: Board, looked: asyncio.Event, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(recording, "STARTS_WITHIN_S", 0.001)
    recorder = Recorder(board, started=asyncio.Event().wait)
    recorder.start()
    await asyncio.wait_for(looked.wait(), 5)
    recorder._task.cancel()


@from_a_thread
def test_the_worst_of_a_minute_is_what_counts(board: Board, noon: time_machine.Traveller):
    recorder = Recorder(board)
    board.prove("engine", Proof(NOW))
    watched(recorder, 40, noon)
    board.prove("engine", Proof(NOW + timedelta(seconds=40)))
    watched(recorder, 10, noon)
    write(recorder)
    row = HealthMinute.objects.get()
    assert (row.states["engine"], row.states["console"], row.samples) == ("stale", "failing", 50)


@from_a_thread
def test_what_a_database_that_was_away_did_not_take_is_written_later(
    board: Board, noon: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch, logged: Any
):
    def away(*args: Any, **kwargs: Any) -> bool:
        raise OperationalError("postgres://dana:hunter2@db is away")

    board.fail("engine", "out of fuel")
    recorder = Recorder(board)
    monkeypatch.setattr(recording, "write_minutes", away)
    for _ in range(2):
        watched(recorder, 60, noon)
        write(recorder)
    assert [line["error"] for line in logged("HEALTH_HISTORY_NOT_WRITTEN")] == [
        "OperationalError: postgres://db is away"
    ]
    monkeypatch.setattr(recording, "write_minutes", write_minutes)
    write(recorder)
    assert [row.states["engine"] for row in HealthMinute.objects.all()] == ["failing", "failing"]


@from_a_thread
def test_a_process_that_stops_is_not_recorded_as_the_console(board: Board, noon: object, draining: None):
    recorder = Recorder(board)
    recorder.look()
    write(recorder)
    assert HealthMinute.objects.count() == 0


def test_what_nobody_recorded_is_no_record_and_never_ok(noon: object):
    write_minutes(lived(NOW - 60 * MINUTE, 30), writer="one:1")
    write_minutes(lived(NOW - 20 * MINUTE, 20), writer="one:1")
    assert [(spell.state, spell.minutes) for spell in strip().spells] == [
        ("unknown", 1380), ("ok", 30), ("unknown", 10), ("ok", 20),
    ]  # fmt: skip
    assert strip().label == "24 h: no record until 11:00, no record 11:30–11:40"


def test_a_minute_of_few_looks_proves_what_went_wrong_and_not_that_nothing_did(noon: object):
    write_minutes(lived(NOW - 2 * MINUTE, 1, samples=29), writer="one:1")
    write_minutes(lived(NOW - MINUTE, 1, samples=1, state="failing"), writer="one:1")
    assert [spell.state for spell in strip().spells] == ["unknown", "failing"]


def test_a_strip_says_in_words_when_it_was_not_ready(noon: object):
    bad = NOW - timedelta(hours=9, minutes=50)
    write_minutes(lived(NOW - timedelta(hours=24), 1440), writer="one:1")
    HealthMinute.objects.filter(minute__gte=bad, minute__lt=bad + 4 * MINUTE).delete()
    write_minutes(lived(bad, 4, state="failing"), writer="one:1")
    assert strip(WHOLE).label == "24 h: not ready 02:10–02:14"
    assert strip().label == "24 h: failing 02:10–02:14"
    assert last_recorded_fault("engine", recorded_minutes(NOW)) == (bad + 3 * MINUTE, "out of fuel")


def test_no_more_than_1501_rows_are_kept(noon: object):
    write_minutes(lived(NOW - timedelta(hours=26), 26 * 60 + 10), writer="one:1")
    assert HealthMinute.objects.count() == 1501
    assert HealthMinute.objects.order_by("minute").first() == HealthMinute(minute=NOW - timedelta(hours=25) + MINUTE)


def test_the_strip_ends_within_its_drawing_and_shows_the_shortest_failure(noon: object):
    write_minutes(lived(NOW - MINUTE, 1, state="failing"), writer="one:1")
    [spell] = [spell for spell in strip().drawn if spell.state == "failing"]
    assert (spell.x, spell.width) == (1435, 5)


@from_a_thread
def test_a_process_that_ends_writes_what_it_saw_and_lets_another_go_on_at_once(
    board: Board, noon: time_machine.Traveller
):
    async def end(recorder: Recorder) -> None:
        recorder.start()
        await recorder.end()

    leaving, staying = Recorder(board, name="one:1"), Recorder(board, name="two:2")
    leaving.look()
    asyncio.run(end(leaving))
    assert HealthMinute.objects.get().samples == 1
    staying.look()
    write(staying)
    assert HealthMinute.objects.get().samples == 2
