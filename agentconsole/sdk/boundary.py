"""The approval boundary of one guarded call: ask, wait, claim. It says what to send and judges the answers; others send.

Speaks the Agent Approval Protocol with this console's claim (docs/aap.md). Whatever is not a clear yes is a no.
"""

import hashlib
import json
import time
import uuid
from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any

from agentconsole.protocol.exact_json import dump_exact, parse_exact, same_json
from agentconsole.protocol.fingerprint import ActionEnvelope, canonical_bytes, fingerprint_of
from agentconsole.sdk.classify import retry_after_s
from agentconsole.sdk.errors import (
    ApprovalCancelled,
    ApprovalDenied,
    ApprovalExpired,
    ApprovalMismatch,
    ApprovalPending,
    ApprovalRefused,
    ApprovalUnavailable,
    ApprovalUsed,
)
from agentconsole.sdk.retry import Retry

REQUESTS_PATH = "/api/aap/v1/requests"
POLL_S = 25
# How long the console may be away before a call that needs it is refused.
PATIENCE_S = 30.0
_BACKOFF = Retry(base_s=0.2, cap_s=3.0)
_LEAST_POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request to send. `body` is JSON text or nothing."""

    method: str
    path: str
    body: str = ""
    key: str = ""
    timeout_s: float = 15.0


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait before going on."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back. Status 0: nothing did."""

    status: int
    body: bytes = b""
    retry_after: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A call that is about to be made: what is asked, and how long somebody waits. `wait_s` None: until the deadline."""

    tool: str
    arguments: dict[str, Any]
    timeout: str
    key: str
    context: dict[str, Any]
    server: str = ""
    operation: str = ""
    resource: str = ""
    schema_digest: str = ""
    on_behalf_of: str = ""
    reasoning: str = ""
    wait_s: float | None = None

    @property
    def body(self) -> dict[str, Any]:
        """The AAP request."""
        sent = {"tool": self.tool, "arguments": self.arguments, "timeout": self.timeout, "context": self.context}
        if self.server:
            sent["server"] = self.server
        if self.reasoning:
            sent["agent_reasoning"] = self.reasoning
        return sent

    @property
    def idempotency_key(self) -> str:
        """The same for the same call, asked for the same thing; any change asks anew."""
        return hashlib.sha256(f"{self.key}\0{dump_exact(self.body)}".encode()).hexdigest()

    @property
    def ticket(self) -> dict[str, Any]:
        """What a later process needs to go on with this very request, as plain JSON: its arguments to call with again, too."""
        told = {"key": self.key, "context": self.context, "arguments": self.arguments}
        ticket: dict[str, Any] = json.loads(dump_exact(told))
        return ticket

    def envelope(self, told: dict[str, Any]) -> ActionEnvelope:
        """The action as this side knows it. Where and who it is is the credential's, so the console has to tell."""
        return ActionEnvelope(
            environment=told["environment"],
            agent=told["agent"],
            on_behalf_of=told["on_behalf_of"],
            operation=self.operation or self.tool,
            tool=self.tool,
            server=self.server,
            schema_digest=self.schema_digest,
            arguments=self.arguments,
            resource=self.resource,
        )


@dataclass(frozen=True, slots=True)
class Allowed:
    """The call may be made now, once. `grant` is what a tool server verifies (`verify_grant`)."""

    request_id: str
    fingerprint: str
    grant: str = field(repr=False)


Course = Generator[Exchange | Pause, Reply, Allowed]
Part = Generator[Exchange | Pause, Reply, dict[str, Any]]


def cross(proposal: Proposal, *, clock: Callable[[], float] = time.monotonic) -> Course:
    """Ask, wait for a decision, claim. Raises an ApprovalRefused of the kind that says why the call must not be made."""
    begun = clock()
    request = yield from _answered(
        Exchange("POST", REQUESTS_PATH, dump_exact(proposal.body), proposal.idempotency_key), clock
    )
    _refuse_other(request, proposal)
    request_id = request["id"]
    while request["status"] == "pending":
        left_s = None if proposal.wait_s is None else proposal.wait_s - (clock() - begun)
        if left_s is not None and left_s <= 0:
            raise ApprovalPending(
                f"waits for a person to decide (request {request_id})", request_id=request_id, ticket=proposal.ticket
            )
        wait_s = POLL_S if left_s is None else max(1, min(POLL_S, round(left_s)))
        asked = clock()
        polled = Exchange("GET", f"{REQUESTS_PATH}/{request_id}?wait={wait_s}s", timeout_s=wait_s + 10.0)
        request = yield from _answered(polled, clock, request_id)
        _refuse_other(request, proposal, request_id)
        if request["status"] == "pending" and clock() - asked < _LEAST_POLL_S:
            yield Pause(_LEAST_POLL_S)
    _refuse_unapproved(request)
    return (yield from _claim(request, proposal, clock))


def _claim(request: dict[str, Any], proposal: Proposal, clock: Callable[[], float]) -> Course:
    request_id = request["id"]
    said = {
        "tool": proposal.tool,
        "server": proposal.server,
        "arguments": proposal.arguments,
        "operation": proposal.operation or proposal.tool,
        "resource": proposal.resource,
        "schema_digest": proposal.schema_digest,
    }
    body = dump_exact({"action": {name: value for name, value in said.items() if value != "" or name == "resource"}})
    path = f"{REQUESTS_PATH}/{request_id}/consume"
    # A key of its own each time: a crash after the claim must never lead to a second run.
    claimed = yield from _answered(Exchange("POST", path, body, str(uuid.uuid4())), clock, request_id)
    _refuse_other(claimed, proposal, request_id)
    try:
        told, fingerprint, grant = claimed["action"], claimed["fingerprint"], claimed["grant"]
        ours = fingerprint_of(canonical_bytes(proposal.envelope(told)))
        is_sound = (
            claimed["status"] == "approved" and "consumption" in claimed and isinstance(grant, str) and bool(grant)
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ApprovalUnavailable("the console's answer makes no sense", request_id=request_id) from error
    if not is_sound or ours != fingerprint:
        raise ApprovalMismatch("the console released another action than this one", request_id=request_id)
    return Allowed(request_id, fingerprint, grant)


def _answered(exchange: Exchange, clock: Callable[[], float], request_id: str = "") -> Part:
    """Send until there is an answer or patience ends, with the same key each time; the answer's object."""
    until = clock() + PATIENCE_S
    failures = 0
    while True:
        reply = yield exchange
        if reply.status not in (0, HTTPStatus.TOO_MANY_REQUESTS) and reply.status < HTTPStatus.INTERNAL_SERVER_ERROR:
            return _read(reply, request_id)
        failures += 1
        pause_s = max(_BACKOFF.pause_s(failures), retry_after_s(reply.retry_after) or 0.0)
        if clock() + pause_s > until:
            why = f"HTTP {reply.status}" if reply.status else "no answer"
            raise ApprovalUnavailable(f"the console could not be reached ({why})", request_id=request_id)
        yield Pause(pause_s)


def _read(reply: Reply, request_id: str) -> dict[str, Any]:
    try:
        answer = parse_exact(reply.body)
    except ValueError as error:
        raise ApprovalUnavailable("the console's answer is no JSON", request_id=request_id) from error
    if not isinstance(answer, dict):
        raise ApprovalUnavailable("the console's answer makes no sense", request_id=request_id)
    if reply.status in (HTTPStatus.OK, HTTPStatus.CREATED):
        return answer
    raise _refusal(reply.status, answer, request_id)


def _refusal(status: int, answer: dict[str, Any], request_id: str) -> ApprovalRefused:
    error = answer.get("error")
    code, message = (error.get("code"), error.get("message")) if isinstance(error, dict) else ("", "")
    said = message if isinstance(message, str) and message else f"HTTP {status}"
    if code == "fingerprint_mismatch":
        details = answer.get("details")
        superseding = details.get("superseding") if isinstance(details, dict) else None
        return ApprovalMismatch(
            said, request_id=request_id, superseding=superseding if isinstance(superseding, str) else ""
        )
    refusals: dict[str, type[ApprovalRefused]] = {
        "already_consumed": ApprovalUsed,
        "approval_expired": ApprovalExpired,
        "policy_denies": ApprovalDenied,
    }
    kind = refusals.get(code, ApprovalUnavailable) if isinstance(code, str) else ApprovalUnavailable
    return kind(said, request_id=request_id)


def _refuse_other(request: dict[str, Any], proposal: Proposal, request_id: str = "") -> None:
    """Refuse an answer about anything but this proposal: a console, or what sits between, may be confused or hostile."""
    sent = proposal.body
    returned = {
        name: request.get(name) for name in ("tool", "arguments", "timeout", "context", "server", "agent_reasoning")
    }
    expected = {name: sent.get(name) for name in returned}
    if (
        not isinstance(request.get("id"), str)
        or not isinstance(request.get("status"), str)
        or (request_id and request["id"] != request_id)
        or not same_json(returned, json_value(expected))
    ):
        raise ApprovalMismatch("the console answered about another request than this one", request_id=request_id)


def json_value(value: Any) -> Any:
    """A value as it is once it went over the wire: tuples are lists, floats and Decimals exact numbers."""
    return parse_exact(dump_exact(value))


def _refuse_unapproved(request: dict[str, Any]) -> None:
    decision = request.get("decision")
    note = decision.get("note") if isinstance(decision, dict) else None
    said = f": {note}" if isinstance(note, str) and note else ""
    request_id, status = request["id"], request["status"]
    match status:
        case "approved":
            return
        case "denied":
            raise ApprovalDenied(f"denied{said}", request_id=request_id)
        case "expired":
            raise ApprovalExpired("nobody decided in time", request_id=request_id)
        case "cancelled":
            raise ApprovalCancelled("the request was withdrawn", request_id=request_id)
        case _:
            raise ApprovalUnavailable("the console's answer makes no sense", request_id=request_id)


def resumed(proposal: Proposal, ticket: dict[str, Any]) -> Proposal:
    """The proposal that a ticket was given for, made again by a later process with the call's real arguments."""
    key, context = ticket.get("key"), ticket.get("context")
    if not isinstance(key, str) or not isinstance(context, dict):
        raise ApprovalUnavailable("the ticket is none of ApprovalPending's")
    return replace(proposal, key=key, context=json.loads(json.dumps(context)))
