"""The web server: what it refuses before the application sees it."""

from collections.abc import Iterator

import httpx
import pytest

from tests.processes.tiny import Tiny, answer_of
from tests.processes.tiny_server import MAX_BODY_BYTES

pytestmark = pytest.mark.processes


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
