"""Calls of the protocol as bytes, and what every answer has to be."""

import json
from typing import Any
from uuid import UUID

from django.test import Client

from agentconsole.protocol.ids import uuid7
from tests.cast import AgentCaller

TYPES = {
    400: "invalid_request", 401: "authentication", 403: "authorization", 404: "not_found", 405: "invalid_request",
    409: "conflict", 422: "invalid_request", 429: "rate_limit", 500: "internal", 503: "dependency",
}  # fmt: skip


def call(agent: AgentCaller, method: str, path: str = "", body: bytes | str = b"", **headers: str) -> Any:
    """Send what may be nonsense to `/api/aap/v1/requests`; the response."""
    sent = {**agent.headers, "Idempotency-Key": str(uuid7()), **{k.replace("_", "-"): v for k, v in headers.items()}}
    client = Client(raise_request_exception=False)
    raw = body.encode() if isinstance(body, str) else body
    kind = sent.pop("Content-Type", "application/json")
    return client.generic(method, f"/api/aap/v1/requests{path}", raw, content_type=kind, headers=sent)


def request_text(**fields: str) -> str:
    """A request's body from fields that are JSON text themselves; an empty one is left out."""
    sent = {"tool": '"restart"', "arguments": "{}", "timeout": '"30m"', **fields}
    return "{" + ",".join(f'"{name}":{text}' for name, text in sent.items() if text) + "}"


def refusal(answer: Any) -> tuple[int, str, str]:
    """Status, code and `param` of an error that keeps to the protocol's closed schema."""
    assert answer.headers["Content-Type"] == "application/json"
    body = json.loads(answer.content)
    error = body["error"]
    assert error.keys() - {"param"} == {"type", "code", "message", "request_id"}
    assert error["type"] == TYPES[answer.status_code]
    assert error["message"]
    assert "param" not in error or error["param"]
    assert error["request_id"] == answer.headers["X-Request-ID"] == str(UUID(error["request_id"]))
    return answer.status_code, error["code"], error.get("param", "")
