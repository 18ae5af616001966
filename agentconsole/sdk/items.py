"""The wire items that the SDK sends (docs/architecture.md, "One way in"): every value in them is clean and bounded."""

import os
import re
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from agentconsole.protocol.context import RequestContext
from agentconsole.protocol.envelope import Attempt, Budget, Hint
from agentconsole.protocol.ids import uuid7
from agentconsole.protocol.tokens import TOKEN_MAX, Level, is_token
from agentconsole.protocol.truncation import DEFAULT_BUDGET
from agentconsole.sdk.payload import DETAIL_BYTES, Payload, prepare, prepare_label, prepare_name, prepare_text
from agentconsole.sdk.version import SDK_NAME

Item = dict[str, Any]

MAX_TOOLS = 500
MAX_ATTEMPTS = 100


@dataclass(slots=True)
class SpanFields:
    """All that is known of a span, as it is sent at its start and again, whole, at its end."""

    run_id: str
    span_id: str
    kind: str
    name: str
    started_at: datetime
    parent_id: str = ""
    phase: str = ""
    agent: str = ""
    trace_id: str = ""
    request_id: str = ""
    ended_at: datetime | None = None
    outcome: str = "running"
    arguments: Payload | None = None
    result: Payload | None = None
    message: str = ""
    retryable: bool | None = None
    elapsed_ms: int | None = None
    budget: Budget | None = None
    attempts: tuple[Attempt, ...] = ()
    hint: Hint | None = None
    attributes: dict[str, Any] = field(default_factory=dict)


def run_started(
    run_id: str, at: datetime, context: RequestContext, *, query: str, heartbeat_s: float, lease_s: float,
    attributes: Mapping[str, Any],
) -> Item:  # fmt: skip
    """The run's first item."""
    return _given(
        type="run.started", id=run_id, at=_time(at), request_id=context.request_id, transport=str(context.transport),
        query=prepare_text(query, DEFAULT_BUDGET), subject=prepare_label(context.subject),
        on_behalf_of=prepare_label(context.on_behalf_of), session_id=prepare_label(context.session_id),
        trace_id=context.trace_id, deadline=_time(context.deadline), heartbeat_s=heartbeat_s, lease_s=lease_s,
        attributes=prepare(dict(attributes), "attributes").value if attributes else None,
    )  # fmt: skip


def run_finished(run_id: str, request_id: str, *, status: str, summary: str, error: str) -> Item:
    """The run's terminal item."""
    return _given(
        type="run.finished", id=run_id, at=_time(datetime.now(UTC)), request_id=request_id, status=status,
        summary=prepare_text(summary, DEFAULT_BUDGET), error=prepare_text(error),
    )  # fmt: skip


def tick(run_id: str, request_id: str, *, phase: str, state: str, detail: str = "") -> Item:
    """A phase was `entered`, is `alive`, or was `left`."""
    return _given(
        type="tick", id=str(uuid7()), run=run_id, at=_time(datetime.now(UTC)), request_id=request_id,
        phase=phase, state=state, detail=prepare_text(detail, DETAIL_BYTES),
    )  # fmt: skip


def event(
    run_id: str, request_id: str, token: str, *, level: str, message: str = "", span_id: str = "",
    fields: Mapping[str, Any] | None = None,
) -> Item:  # fmt: skip
    """A trace event. A token that is not UPPER_SNAKE is made so, and what was given is kept in the fields."""
    fields = dict(fields or {})
    if not is_token(token):
        fields["token_given"], token = token, _as_token(token)
    return _given(
        type="event", id=str(uuid7()), run=run_id, at=_time(datetime.now(UTC)), request_id=request_id, token=token,
        level=level if level in Level._value2member_map_ else Level.INFO.value, message=prepare_text(message),
        span=span_id, fields=_mapping(prepare(fields, "fields").value),
    )  # fmt: skip


def span(state: SpanFields) -> Item:
    """A span as it stands. What was cut and what was redacted is told beside the values."""
    return _given(
        type="span", id=state.span_id, run=state.run_id, at=_time(state.started_at), request_id=state.request_id,
        kind=state.kind, name=state.name, parent=state.parent_id, phase=state.phase, agent=state.agent,
        trace_id=state.trace_id, ended_at=_time(state.ended_at), outcome=state.outcome, message=state.message,
        retryable=state.retryable, elapsed_ms=state.elapsed_ms,
        budget=state.budget and {"soft_ms": state.budget.soft_ms, "hard_ms": state.budget.hard_ms},
        attempts=[attempt.as_dict() for attempt in state.attempts[-MAX_ATTEMPTS:]],
        hint=state.hint and {
            "fallback_to": prepare_label(state.hint.fallback_to), "reason": prepare_text(state.hint.reason),
        },
        attributes=_mapping(prepare(state.attributes, "attributes").value),
    ) | _payloads(arguments=state.arguments, result=state.result)  # fmt: skip


def agent_startup(*, expected: Sequence[str], loaded: Sequence[str], missing: Mapping[str, str], version: str) -> Item:
    """What an instance was to load, loaded, and could not, with the reason."""
    return _given(
        type="agent.startup", id=str(uuid7()), at=_time(datetime.now(UTC)),
        version=prepare_label(version), sdk=SDK_NAME, host=prepare_label(socket.gethostname()), pid=os.getpid(),
    ) | {
        "expected": [prepare_name(name) for name in expected[:MAX_TOOLS]],
        "loaded": [prepare_name(name) for name in loaded[:MAX_TOOLS]],
        "missing": [
            {"name": prepare_name(name), "reason": prepare_text(why, DETAIL_BYTES)}
            for name, why in list(missing.items())[:MAX_TOOLS]
        ],
    }  # fmt: skip


def agent_beat(
    *, boot: str, number: int, lease_s: float, runs: int, components: Sequence[Mapping[str, Any]], ended: bool
) -> Item:
    """A sign of life of this process, with its components as they stand."""
    return {
        "type": "agent.beat", "id": str(uuid7()), "at": _time(datetime.now(UTC)), "boot": boot, "number": number,
        "lease_s": lease_s, "runs": runs, "components": list(components), "ended": ended,
    }  # fmt: skip


def _payloads(**payloads: Payload | None) -> Item:
    """The payloads, also empty ones, and `cut` beside them: the size and digest of the whole of what was cut."""
    present = {name: payload for name, payload in payloads.items() if payload is not None}
    cuts = {
        name: {
            "chars": payload.cut.chars, "sha256": payload.cut.sha256,
            "at": payload.cut.cut_at, "left_out": payload.cut.cut_chars,
        }
        for name, payload in present.items() if payload.cut is not None
    }  # fmt: skip
    return {name: payload.value for name, payload in present.items()} | ({"cut": cuts} if cuts else {})


def _mapping(value: Any) -> Any:
    """A payload that must be an object on the wire, also where it was so long that it was cut to a text."""
    return value if isinstance(value, dict) else {"cut": value}


def _given(**fields: Any) -> Item:
    """The fields that say something: an absent field and an empty one mean the same on the wire."""
    return {name: value for name, value in fields.items() if value is not None and value not in ("", [], {}, ())}


def _time(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat() if at is not None else None


def _as_token(text: str) -> str:
    token = re.sub("[^A-Z0-9]+", "_", text.upper()).strip("_")
    return (token if token[:1].isalpha() else f"EVENT_{token}")[:TOKEN_MAX].strip("_")
