"""How the web server ends: whoever had reached it is answered, within the deadline; asked twice, it ends at once."""

import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.processes.running import wait_for
from tests.processes.tiny import Tiny, answer_of

pytestmark = pytest.mark.processes
WHOLE = b"POST / HTTP/1.0\r\nHost: x\r\nContent-Length: 5\r\n\r\nabcde"
QUEUED = 60


def test_a_request_in_flight_is_answered_and_its_connection_closed(tiny: Tiny):
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(httpx.get, f"{tiny.url}/slow?1")
        tiny.wait_for_request()
        tiny.terminate()
        assert answer.result().status_code == 200
        assert answer.result().headers["connection"] == "close"
    assert tiny.process.wait(10) == 0


def test_a_body_that_was_begun_may_arrive_to_its_end(tiny: Tiny):
    with tiny.raw() as connection:
        connection.sendall(WHOLE[:-2])
        tiny.terminate()
        connection.sendall(WHOLE[-2:])
        assert answer_of(connection)[::2] == (200, {"length": 5})
    assert tiny.process.wait(10) == 0


def test_who_waits_in_the_ports_queue_is_answered(tiny: Tiny):
    tiny.process.send_signal(signal.SIGSTOP)
    waiting = [tiny.raw() for _ in range(QUEUED)]
    for connection in waiting:
        connection.sendall(WHOLE)
    tiny.process.send_signal(signal.SIGTERM)
    tiny.process.send_signal(signal.SIGCONT)
    assert [answer_of(connection)[0] for connection in waiting] == [200] * QUEUED
    for connection in waiting:
        connection.close()
    assert tiny.process.wait(10) == 0


def test_a_kept_connection_is_served_once_more(tiny: Tiny):
    with httpx.Client() as kept, tiny.raw() as slow:
        kept.get(tiny.url)
        slow.sendall(WHOLE[:-2])  # so that it can't be gone by then
        tiny.terminate()
        answer = kept.get(tiny.url)
        assert (answer.status_code, answer.headers["connection"]) == (200, "close")


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Tiny]:
    """A server that waits for slow bodies longer than for its end."""
    server = Tiny(tmp_path / "log", receive_timeout_s=60)
    yield server
    server.process.kill()
    server.process.communicate()


@pytest.fixture
def hurried(tmp_path: Path) -> Iterator[Tiny]:
    """A server that has a second to end in."""
    server = Tiny(tmp_path / "hurried", receive_timeout_s=60, drain_s=1)
    yield server
    server.process.kill()
    server.process.communicate()


def test_what_outlasts_the_deadline_is_cut_off_and_said(hurried: Tiny):
    with ThreadPoolExecutor(2) as pool, hurried.raw() as late:
        late.sendall(WHOLE[:-2])
        answers = []
        for path in ("/slow?60", "/hang?60"):  # one in the event loop, one in a thread
            answers.append(pool.submit(httpx.get, hurried.url + path, timeout=30))
            hurried.wait_for_request()
        hurried.process.send_signal(signal.SIGTERM)
        status, headers, body = answer_of(late)
        assert (status, body["error"]["code"], headers["connection"]) == (503, "stopping", "close")
        assert hurried.process.wait(5) == 0
        assert all(isinstance(answer.exception(), httpx.TransportError) for answer in answers)
    cut_off = [(event["is_arriving"], event.get("path")) for event in hurried.events("REQUEST_CUT_OFF")]
    assert sorted(cut_off) == [(False, "/hang"), (False, "/slow"), (True, None)]
    assert hurried.events("DRAIN_FINISHED")[0]["cut_off"] == 3


def test_a_loop_that_hangs_holds_the_process_no_longer_than_its_deadline(hurried: Tiny):
    with ThreadPoolExecutor(1) as pool:
        pool.submit(httpx.get, f"{hurried.url}/freeze?60", timeout=30)
        hurried.wait_for_request()
        hurried.process.send_signal(signal.SIGTERM)
        assert hurried.process.wait(10) == 1
    assert hurried.events("DRAIN_OVERRUN")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_an_open_socket_is_sent_to_come_back_elsewhere(tiny: Tiny, number: signal.Signals):
    with connect(tiny.url.replace("http", "ws") + "/ws") as browser:
        tiny.process.send_signal(number)
        with pytest.raises(ConnectionClosed):
            browser.recv(timeout=5)
        assert browser.close_code == 1012
    assert tiny.process.wait(10) == 0


@pytest.mark.parametrize("path", ["/slow?60", "/hang?60", "/freeze?60"])
def test_a_second_signal_ends_at_once_whatever_hangs(tiny: Tiny, path: str):
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(httpx.get, tiny.url + path, timeout=30)
        tiny.wait_for_request()
        begun = time.monotonic()
        wait_for("it ends", lambda: ended_by_one_more(tiny))
        assert time.monotonic() - begun < 1
        assert tiny.process.returncode == 130
        assert answer.exception() is not None


def ended_by_one_more(tiny: Tiny) -> bool:
    """Press Ctrl-C once more; whether that was the end."""
    tiny.process.send_signal(signal.SIGINT)
    return tiny.process.poll() is not None
