"""The supervisor over children of a test: backoff, loops of crashes in words, and who does not end in time."""

import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from agentconsole.management import supervisor as supervising
from agentconsole.management.supervisor import Child, Supervisor

Lines = Callable[[str], list[dict[str, Any]]]


@pytest.fixture(autouse=True)
def _own_signals(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The test's process is the supervisor for a while; and it is in a hurry."""
    monkeypatch.setattr(supervising, "POLL_S", 0.01)
    monkeypatch.setattr(supervising, "BACKOFF_FIRST_S", 0.01)
    monkeypatch.setattr(supervising, "KILL_GRACE_S", 0.2)
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


def child(program: str, *, drain_s: float = 5, sockets: Sequence[socket.socket] = ()) -> Child:
    return Child("tiny", [sys.executable, "-S", "-c", program], dict(os.environ), drain_s, sockets)


def stop_once(is_time: Callable[[], object]) -> Callable[[], None]:
    """Ask the supervisor to stop, once, when it is time."""
    asked: list[int] = []

    def look() -> None:
        if not asked and is_time():
            asked.append(1)
            os.kill(os.getpid(), signal.SIGTERM)

    return look


def test_a_child_that_crashes_again_and_again_is_said_once_and_tried_ever_later(logged: Lines):
    supervisor = Supervisor([child("raise SystemExit(3)")], on_poll=stop_once(lambda: len(logged("CHILD_EXITED")) >= 5))
    assert supervisor.run() == 0
    exits = logged("CHILD_EXITED")
    assert {event["code"] for event in exits} == {3}
    assert [event["restart_in_s"] for event in exits[:5]] == [0.01, 0.02, 0.04, 0.08, 0.16]
    assert [event["crashes"] for event in logged("CHILD_CRASHES_AGAIN")] == [3]


def test_a_crash_after_a_good_life_is_a_first_one(logged: Lines, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(supervising, "LIVED_WELL_S", 0)
    supervisor = Supervisor([child("raise SystemExit(3)")], on_poll=stop_once(lambda: len(logged("CHILD_EXITED")) >= 3))
    supervisor.run()
    assert {event["restart_in_s"] for event in logged("CHILD_EXITED")} == {0.01}


def test_a_child_that_does_not_end_within_its_own_time_and_a_grace_is_killed(tmp_path, logged: Lines):
    deaf = "import signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); open(sys.argv[1], 'w'); time.sleep(60)"
    stubborn = child(deaf, drain_s=0.2)
    stubborn.argv = [*stubborn.argv, str(tmp_path / "up")]
    supervisor = Supervisor([stubborn], on_poll=stop_once((tmp_path / "up").exists))
    assert supervisor.run() == 1
    assert logged("DRAIN_FINISHED")[0]["killed"] == ["tiny"]


def test_the_last_child_to_hold_a_port_closes_it():
    held = socket.create_server(("127.0.0.1", 0))
    address = held.getsockname()
    web = child("import time; time.sleep(60)", sockets=[held])
    supervisor = Supervisor([web], on_poll=stop_once(lambda: web.process is not None))
    supervisor.run()
    assert held.fileno() == -1
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, timeout=2)
