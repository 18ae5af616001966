"""A request body above its cap is refused before Django takes it in."""

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from agentconsole.sockets import BodyLimit

LIMIT = 100


@pytest.fixture(autouse=True)
def limit(settings) -> None:
    settings.INGEST_MAX_BYTES = LIMIT


async def answer_to(
    chunks: list[bytes], *, announced: int | None = None, path: str = "/"
) -> tuple[list[Mapping[str, Any]], list[bytes]]:
    """What is sent for a POST of these chunks, and what the application got of them."""
    sent: list[Mapping[str, Any]] = []
    got: list[bytes] = []

    async def incoming() -> AsyncIterator[dict[str, Any]]:
        for place, chunk in enumerate(chunks, 1):
            yield {"type": "http.request", "body": chunk, "more_body": place < len(chunks)}

    async def application(scope: Any, receive: Any, send: Any) -> None:
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            got.append(message["body"])
            more = message["more_body"]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"stored"})

    async def send(message: Mapping[str, Any]) -> None:
        sent.append(message)

    headers = [(b"x-request-id", b"req_mine")]
    if announced is not None:
        headers.append((b"content-length", str(announced).encode()))
    stream = incoming()
    await BodyLimit(application)({"type": "http", "path": path, "headers": headers}, stream.__anext__, send)
    return sent, got


async def test_a_body_at_the_cap_passes_whole() -> None:
    sent, got = await answer_to([b"x" * 60, b"x" * 40], announced=LIMIT)
    assert sent[0]["status"] == 200
    assert b"".join(got) == b"x" * LIMIT


async def test_a_body_that_announces_more_is_refused_unread() -> None:
    sent, got = await answer_to([b"x"], announced=LIMIT + 1)
    assert (sent[0]["status"], got) == (413, [])
    assert (b"x-request-id", b"req_mine") in sent[0]["headers"]
    assert b'"code": "too_large"' in sent[1]["body"]


@pytest.mark.parametrize("announced", [None, 10])
async def test_a_body_that_turns_out_larger_is_refused_where_it_does(announced: int | None) -> None:
    sent, got = await answer_to([b"x" * 60] * 5, announced=announced)
    assert [message.get("status") for message in sent] == [413, None]
    assert len(got) == 1


async def test_an_exporter_is_refused_in_its_own_words() -> None:
    sent, _got = await answer_to([b"x"], announced=LIMIT + 1, path="/otlp/v1/traces")
    assert (sent[0]["status"], json.loads(sent[1]["body"])["code"]) == (413, 3)
