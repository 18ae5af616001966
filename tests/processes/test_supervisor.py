"""`manage.py console`: what it starts it keeps running, and takes along when it goes."""

import os
import signal
import socket
import time

import pytest

from tests.processes.running import RunningConsole, descendants_of, is_alive, wait_for

pytestmark = pytest.mark.processes


@pytest.mark.parametrize("child", ["web", "worker"])
def test_a_killed_child_is_started_again(up: RunningConsole, child: str):
    before = up.child(child)
    os.kill(before, signal.SIGKILL)
    wait_for(f"another {child}", lambda: up.child(child) != before)
    assert [event["child"] for event in up.events("CHILD_EXITED")] == [child]
    wait_for("the console is ready", up.is_ready, within_s=60)


def test_a_killed_worker_leaves_no_second_schedule(up: RunningConsole):
    wait_for("web, worker and its schedule", lambda: len(up.descendants()) == 3)
    before = up.child("worker")
    os.kill(before, signal.SIGKILL)
    wait_for("another worker", lambda: up.child("worker") != before)
    wait_for("one schedule again", lambda: len(up.descendants()) == 3)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_schedule_that_ends_is_started_again_with_its_worker(up: RunningConsole, number: signal.Signals):
    wait_for("web and worker", lambda: len(up.events("CHILD_STARTED")) == 2)
    before = up.child("worker")
    (schedule,) = wait_for("its schedule", lambda: descendants_of(before))
    os.kill(schedule, number)
    wait_for("another worker", lambda: up.child("worker") != before)
    wait_for("one schedule again", lambda: len(up.descendants()) == 3)
    wait_for("the console is ready", up.is_ready, within_s=60)
    assert not is_alive(schedule)


def test_one_interrupt_is_an_orderly_end(up: RunningConsole):
    wait_for("the console is ready", up.is_ready, within_s=60)
    children = up.descendants()
    assert up.stop() == 0
    assert not [pid for pid in children if is_alive(pid)]
    assert up.events("DRAIN_FINISHED")[-1]["killed"] == []


def test_a_second_interrupt_ends_at_once(up: RunningConsole):
    children = up.descendants()
    for pid in children:
        os.kill(pid, signal.SIGSTOP)  # requests and tasks hang: nobody can drain
    assert up.process is not None
    up.process.send_signal(signal.SIGINT)
    wait_for("the drain has begun", lambda: up.events("DRAIN_STARTED"))
    asked_at = time.monotonic()
    assert up.stop(within_s=5) == 130
    assert time.monotonic() - asked_at < 1
    assert not [pid for pid in children if is_alive(pid)]


def test_stop_and_continue_do_no_harm_and_a_closed_terminal_is_an_orderly_end(up: RunningConsole):
    wait_for("web, worker and its schedule", lambda: len(up.descendants()) == 3)
    children = up.descendants()
    assert up.process is not None
    for number in (signal.SIGTSTP, signal.SIGCONT):
        up.process.send_signal(number)
    wait_for("the console is ready", up.is_ready, within_s=40)
    assert up.descendants() == children
    assert up.stop(signal.SIGHUP) == 0
    assert not [pid for pid in children if is_alive(pid)]


def test_a_killed_supervisor_leaves_no_orphans(up: RunningConsole):
    children = up.descendants()
    assert len(children) >= 2
    up.stop(signal.SIGKILL)
    wait_for("all children are gone", lambda: not [pid for pid in children if is_alive(pid)], within_s=30)


def test_a_busy_port_is_said_plainly_and_nothing_is_made(console: RunningConsole):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        console.launch(port)
        assert console.process is not None
        assert console.process.wait(30) == 1
    assert f"Port {port} on 127.0.0.1 is in use" in console.text
    assert not (console.var / "console.sqlite3").exists()


def test_the_first_password_is_printed_once_and_works(up: RunningConsole):
    assert len(up.password) >= 16
    up.stop()
    shown = up.password
    up.start()
    assert shown not in up.text
    assert not up.password
