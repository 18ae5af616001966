"""Posting exports to the console, and reading what it answers."""

from typing import Any

from django.test import Client
from google.protobuf import json_format
from google.rpc.status_pb2 import Status

from agentconsole.rpc_status import JSON, PROTOBUF
from tests.cast import AgentCaller


def post(
    agent: AgentCaller | None, body: bytes, media: str = PROTOBUF, path: str = "/v1/traces", **headers: str
) -> Any:
    """The answer to an export. Headers with underscores for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if agent:
        named |= agent.headers
    if media:
        named["Content-Type"] = media  # Django's client leaves it out where there is no body
    client = Client(raise_request_exception=False)
    return client.post(path, body, content_type=media, headers=named)


def status_in(answer: Any) -> Status:
    """The Status that an answer is, in its own encoding."""
    if answer.headers["Content-Type"] == PROTOBUF:
        return Status.FromString(answer.content)
    assert answer.headers["Content-Type"] == JSON
    return json_format.Parse(answer.content, Status())


def details_in(status: Status) -> dict[str, Any]:
    """Its details by the names of their types."""
    told = json_format.MessageToDict(status).get("details", [])
    return {one.pop("@type").rpartition(".")[2]: one for one in told}
