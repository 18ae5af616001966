"""What no HTTP client would send: the server survives it, keeps nothing of it, and goes on answering."""

import socket

import pytest

from approvals.models import Action
from tests.cast import AgentCaller

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

PATIENCE_S = 10
NOBODYS = "7ab8c8ec-7b2d-4fd6-9b52-752f9515eb71"
ASK = "POST /api/aap/v1/requests"
WAIT = f"GET /api/aap/v1/requests/{NOBODYS}?wait=30s"
LARGE = b"80000\r\n" + b"x" * 0x80000 + b"\r\n0\r\n\r\n"
GOOD = b'{"tool":"x","arguments":{},"timeout":"1m"}'

CASES: list[tuple[str, str, str, bytes, bytes, bytes]] = [
    ("chunks of nonsense", ASK, "Transfer-Encoding: chunked", b"zzz\r\n", b"400", b""),
    ("a chunk of a negative size", ASK, "Transfer-Encoding: chunked", b"-1\r\nx\r\n", b"400", b""),
    ("chunks that add up to too much", ASK, "Transfer-Encoding: chunked", LARGE, b"400", b"request_too_large"),
    ("a size that is none", ASK, "Content-Length: abc", b"{}", b"400", b""),
    ("two sizes", ASK, "Content-Length: 2\r\nContent-Length: 3", b"{}", b"400", b""),
    ("a size and chunks", ASK, "Content-Length: 2\r\nTransfer-Encoding: chunked", b"0\r\n\r\n", b"400", b""),
    ("more than the server takes", ASK, "Content-Length: 99999999", b"{}", b"413", b"too_large"),
    ("another host's name", ASK, "Host: evil.example\r\nContent-Length: 2", b"{}", b"400", b"bad_request"),
    ("a poll for nobody's request", WAIT, "", b"", b"404", b"not_found"),
    ("a poll with a body", WAIT, "Content-Length: 2", b"{}", b"404", b"not_found"),
    ("no HTTP", "\x16\x03\x01", "", b"", b"400", b""),
    ("a request as it should be, in the end", ASK, f"Content-Length: {len(GOOD)}", GOOD, b"201", b'"pending"'),
]


def answer_to(port: int, sent: bytes) -> bytes:
    """All that comes back until the server closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as wire:
        wire.sendall(sent)
        answer = b""
        while piece := wire.recv(65536):
            answer += piece
    return answer


def test_a_server_that_is_sent_nonsense_says_so_and_goes_on(url: str, agent: AgentCaller):
    port = int(url.rpartition(":")[2])
    common = f"Authorization: Bearer {agent.token}\r\nContent-Type: application/json\r\nIdempotency-Key: k\r\nConnection: close"
    for name, line, headers, body, status, told in CASES:
        host = "" if "Host:" in headers else "Host: localhost\r\n"
        more = f"{headers}\r\n" if headers else ""
        answer = answer_to(port, f"{line} HTTP/1.1\r\n{host}{common}\r\n{more}\r\n".encode("latin1") + body)
        assert answer.split(b" ")[1] == status, (name, answer)
        assert told in answer, (name, answer)
    assert Action.objects.count() == 1
