"""The web server: what it refuses before the application sees it, and how it ends."""

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.processes.running import ROOT, wait_for
from tests.processes.tiny_server import MAX_BODY_BYTES

pytestmark = pytest.mark.processes
RECEIVE_TIMEOUT_S = 1
DRAIN_S = 3


class Tiny:
    """The running server."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.processes.tiny_server", str(RECEIVE_TIMEOUT_S), str(DRAIN_S)]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()

    def raw(self) -> socket.socket:
        """A bare connection."""
        place = urlsplit(self.url)
        return socket.create_connection((str(place.hostname), place.port or 0), timeout=10)

    def is_listening(self) -> bool:
        """Whether it takes connections."""
        try:
            self.raw().close()
        except (ConnectionRefusedError, ConnectionResetError):
            return False
        return True

    def wait_for_request(self) -> None:
        """Until the application has begun on one."""
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "begun\n"

    def terminate(self) -> None:
        """Ask it to stop, and wait until it takes nothing new."""
        self.process.send_signal(signal.SIGTERM)
        wait_for("it stops listening", lambda: not self.is_listening())


@pytest.fixture
def tiny() -> Iterator[Tiny]:
    server = Tiny()
    yield server
    server.process.kill()
    server.process.communicate()


def answer_of(connection: socket.socket) -> tuple[int, dict[str, str], dict[str, dict[str, str]]]:
    """Status, headers and JSON of what the server says until it closes."""
    received = b""
    while piece := connection.recv(65536):
        received += piece
    head, body = received.split(b"\r\n\r\n", 1)
    status, *lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return int(status.split()[1]), headers, json.loads(body)


def test_a_body_within_the_limit_arrives_whole(tiny: Tiny):
    assert httpx.post(tiny.url, content=b"x" * MAX_BODY_BYTES).json() == {"length": MAX_BODY_BYTES}


def test_an_announced_size_above_the_limit_is_refused_before_it_is_sent(tiny: Tiny):
    with tiny.raw() as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nX-Request-ID: req_mine\r\nContent-Length: 100001\r\n\r\n")
        status, headers, body = answer_of(connection)
    assert status == 413
    assert body["error"]["code"] == "too_large"
    assert headers["x-request-id"] == body["error"]["request_id"] == "req_mine"


def test_a_client_that_sends_a_huge_body_all_the_same_reads_the_refusal(tiny: Tiny):
    assert httpx.post(tiny.url, content=b"x" * 20_000_000).status_code == 413


def test_a_chunked_body_is_refused_once_it_passes_the_limit(tiny: Tiny):
    def endless() -> Iterator[bytes]:
        for _ in range(1000):
            yield b"x" * 10_000

    assert httpx.post(tiny.url, content=endless()).status_code == 413


def test_a_client_that_waits_for_leave_to_send_is_refused_and_not_told_to_go_on(tiny: Tiny):
    with tiny.raw() as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100001\r\nExpect: 100-continue\r\n\r\n")
        status, _headers, _body = answer_of(connection)
    assert status == 413


@pytest.mark.parametrize(
    "sent",
    [
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n",
    ],
    ids=["no body", "half a body", "no chunk", "half a head"],
)
def test_a_request_that_does_not_arrive_is_given_up(tiny: Tiny, sent: bytes):
    with tiny.raw() as connection:
        connection.sendall(sent)
        status, _headers, body = answer_of(connection)
    assert (status, body["error"]["code"]) == (408, "request_timeout")


def test_a_request_in_flight_is_answered_during_the_drain(tiny: Tiny):
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(httpx.get, f"{tiny.url}/slow?1")
        tiny.wait_for_request()
        tiny.terminate()
        assert answer.result().status_code == 200
    assert tiny.process.wait(10) == 0


def test_a_request_that_outlasts_the_drain_does_not_hold_the_process(tiny: Tiny):
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(httpx.get, f"{tiny.url}/slow?60", timeout=30)
        tiny.wait_for_request()
        tiny.terminate()
        assert tiny.process.wait(DRAIN_S + 5) == 0
        assert isinstance(answer.exception(), httpx.TransportError)


def test_an_open_socket_is_sent_to_come_back_elsewhere(tiny: Tiny):
    with connect(tiny.url.replace("http", "ws") + "/ws") as browser:
        tiny.process.send_signal(signal.SIGTERM)
        with pytest.raises(ConnectionClosed):
            browser.recv(timeout=5)
        assert browser.close_code == 1012
    assert tiny.process.wait(10) == 0


def test_a_second_signal_ends_at_once(tiny: Tiny):
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(httpx.get, f"{tiny.url}/slow?60", timeout=30)
        tiny.wait_for_request()
        tiny.terminate()
        tiny.process.send_signal(signal.SIGTERM)
        tiny.process.wait(1.5)
        assert answer.exception() is not None
