"""The probes answer before Django, from what is known, and touch nothing."""

import asyncio
import json
from typing import Any

import pytest
from django.test import Client

from agentconsole.asgi import application
from agentconsole.health import probes
from agentconsole.health.board import Board
from agentconsole.health.proof import Proof
from tests.health.conftest import NOW


async def ask(path: str, *, method: str = "GET") -> tuple[int, dict[bytes, bytes], bytes]:
    """Status, headers and body, over ASGI, from a caller that uses an address which is no allowed host."""
    sent: list[dict[str, Any]] = []
    to_come = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> dict[str, Any]:
        return to_come.pop() if to_come else await asyncio.Future()

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    headers = [(b"host", b"10.0.0.7:8000")]
    scope = {"type": "http", "method": method, "path": path, "query_string": b"", "headers": headers}
    await application(scope, receive, send)
    answered = {name.lower(): value for name, value in sent[0]["headers"]}
    return sent[0]["status"], answered, b"".join(message.get("body", b"") for message in sent[1:])


async def test_live_says_that_the_loop_turns():
    status, headers, body = await ask("/health/live")
    assert (status, json.loads(body)) == (200, {"status": "live"})
    assert headers[b"cache-control"] == b"no-store"


async def test_ready_answers_200_with_the_board(board: Board, monkeypatch: pytest.MonkeyPatch, noon: Any):
    monkeypatch.setattr(probes, "board", board)
    board.prove("engine", Proof(NOW))
    status, _headers, body = await ask("/health/ready")
    assert status == 200
    assert json.loads(body) == board.report(NOW)


async def test_ready_answers_503_with_the_board(board: Board, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(probes, "board", board)
    status, _headers, body = await ask("/health/ready")
    assert status == 503
    assert json.loads(body)["components"]["engine"]["detail"] == "not checked yet"


def test_a_server_without_the_probes_in_front_gets_the_same_from_django(client: Client):
    assert client.get("/health/live").json() == {"status": "live"}
    assert client.get("/health/ready").status_code == 503


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/health/live", "/health/startup", "/health/ready"])
def test_a_probe_runs_no_query_and_opens_nothing(path: str, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries):
    monkeypatch.setattr("socket.socket.connect", None)
    monkeypatch.setattr("builtins.open", None)
    with django_assert_num_queries(0):
        assert probes.answer_to(path) is not None


async def test_head_answers_without_a_body():
    status, headers, body = await ask("/health/live", method="HEAD")
    assert (status, body, headers[b"content-length"]) == (200, b"", b"18")


async def test_other_methods_and_paths_go_to_django():
    for method, path in (("POST", "/health/live"), ("GET", "/health/lives")):
        status, headers, _body = await ask(path, method=method)
        assert status == 400  # its answer to a host that is not allowed
        assert b"x-request-id" in headers
