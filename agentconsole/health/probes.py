"""`/health/live`, `/health/startup` and `/health/ready`, answered before Django.

A probe must answer when every thread is busy, and to an orchestrator that calls by an address that is no allowed host.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from agentconsole.health.board import board
from agentconsole.health.startup import startup
from agentconsole.protocol.ids import new_request_id

Application = Callable[
    [dict[str, Any], Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]
]

HTTP_OK = 200
HTTP_UNAVAILABLE = 503


def answer_to(path: str) -> tuple[int, Mapping[str, Any]] | None:
    """Status and JSON of a probe, or None if the path is none."""
    if path == "/health/live":
        return HTTP_OK, {"status": "live"}
    if path == "/health/startup":
        return (HTTP_OK if startup.is_done else HTTP_UNAVAILABLE), startup.report()
    if path == "/health/ready":
        report = board.report()
        return (HTTP_OK if report["status"] == "ready" else HTTP_UNAVAILABLE), report
    return None


def with_probes(application: Application) -> Application:
    """The ASGI application, with the probes in front of it."""

    async def probed(
        scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        answer = answer_to(scope["path"]) if scope["type"] == "http" and scope["method"] in ("GET", "HEAD") else None
        if answer is None:
            await application(scope, receive, send)
            return
        status, content = answer
        body = json.dumps(content).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"cache-control", b"no-store"),
            (b"x-request-id", new_request_id().encode()),
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    return probed
