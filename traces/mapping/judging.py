"""From all that a span tells of its end to one outcome and one message."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from agentconsole.protocol.envelope import Outcome, SpanState
from traces.mapping.account import Call, Role
from traces.mapping.conventions import TOOLS
from traces.mapping.outcomes import is_empty, is_wait, judge_envelope, judge_error
from traces.mapping.unwrapping import Unwrapped, actions_of
from traces.mapping.values import as_text, from_repr
from traces.otlp.shapes import OtlpSpan

MESSAGE_MAX = 64_000  # stores cut a message better: they say that they did
_STATUS_ERROR = 2
_TRACEBACK = "Traceback (most recent call last)"
_REPR_IN_MESSAGE = re.compile(r"([^{}]{1,200}?)(?: \(non-fatal\))?: (\{.*\})", re.DOTALL)
_CALLED = re.compile(r"(?P<type>[A-Za-z_][\w.]*)\((?P<quote>['\"])(?P<message>.*)(?P=quote),?\)", re.DOTALL)
# Types that only say that something failed.
_VAGUE = frozenset({"tool_error", "_OTHER", "Error", "Exception", "error", "failure", "ERROR"})
_FAILED_LEVELS = frozenset({"ERROR", "FAILURE"})
_INTERRUPTED = ("GraphInterrupt(", "NodeInterrupt(")
_NEEDS_RESULT = (*TOOLS, Role.RETRIEVAL)
_REFUSED = frozenset({"reject", "rejected", "deny", "denied", "abort", "no"})


@dataclass(slots=True)
class Told:
    """What a span tells of its end. `result` is None where none was reported."""

    span: OtlpSpan
    role: Role
    fields: Mapping[str, Any]
    exception: Mapping[str, Any] | None
    result: Unwrapped | None
    held: tuple[Call, ...]  # calls for which its output asks for a person's approval


class Verdict(NamedTuple):
    """The outcome, its message, the rule, and the calls that wait for a person."""

    outcome: str
    message: str = ""
    rule: str = ""
    calls: tuple[Call, ...] = ()


def judge(told: Told) -> Verdict:
    """How the span ended: a wait for a person, a failure, or by what it answered."""
    error_type, error = _error_of(told)
    if waiting := _judge_wait(told, error_type, error):
        return waiting
    if told.role == Role.GATE and "decision" in told.fields:
        return _judge_decision(told)
    if _has_failed(told):
        message = _message_of(error_type, error)
        judged = judge_error((error, error_type))
        return Verdict(judged.outcome, message, judged.rule)
    if told.span.ended_at is None:
        return Verdict(SpanState.RUNNING, rule="not_ended")
    return _judge_answer(told)


def _judge_wait(told: Told, error_type: str, error: str) -> Verdict | None:
    if deferral := told.fields.get("deferral"):
        return Verdict(SpanState.WAITING, f"waits for a person: {deferral}", "pydantic_ai.tool.deferral.name")
    if is_wait(error_type) or error.startswith(_INTERRUPTED):
        calls = actions_of(error)
        return Verdict(SpanState.WAITING, _waits_for(calls), "interrupt", calls)
    if told.held:
        return Verdict(SpanState.WAITING, _waits_for(told.held), "function_approval_request")
    return None


def _waits_for(calls: tuple[Call, ...]) -> str:
    names = ", ".join(name for _id, name, _arguments in calls if name)
    return f"waits for a person: {names}"[:MESSAGE_MAX] if names else "waits for a person"


def _judge_decision(told: Told) -> Verdict:
    decision = told.fields["decision"]
    outcome = Outcome.REJECTED if decision.lower() in _REFUSED else Outcome.OK
    return Verdict(outcome, f"decided: {decision}", "decision")


def _error_of(told: Told) -> tuple[str, str]:
    """The type and the text of what went wrong, from the source that tells most."""
    exception = told.exception or {}
    error_type = str(exception.get("exception.type") or told.fields.get("error_type") or "").rsplit(".", 1)[-1]
    error = exception.get("exception.message") or told.fields.get("error") or told.span.status_message
    return error_type[:200], _told_text(as_text(error))


def _told_text(message: str) -> str:
    """A message without its stack trace, and what a repr in it says."""
    text = message.split(_TRACEBACK, 1)[0].strip()[:MESSAGE_MAX]
    if found := _CALLED.fullmatch(text):
        return f"{found['type']}: {found['message']}"
    if text[:1] == "{" and isinstance(told := from_repr(text), dict):
        parts = (told.get("message"), _inner_error(told.get("data")) or told.get("error"))
        return ": ".join(as_text(part) for part in parts if part) or text
    if (found := _REPR_IN_MESSAGE.fullmatch(text)) and isinstance(told := from_repr(found[2]), dict):
        inner = told.get("error") or told.get("message")
        return f"{found[1]}: {inner}" if inner else text
    return text


def _inner_error(data: Any) -> Any:
    return data.get("error") if isinstance(data, dict) else None


def _message_of(error_type: str, error: str) -> str:
    if not error or not error_type or error_type in _VAGUE or error_type in error[:300]:
        return error or error_type
    return f"{error_type}: {error}"[:MESSAGE_MAX]


def _has_failed(told: Told) -> bool:
    """An exception that a span noted and went on from is no failure of it."""
    fields = told.fields
    if told.span.status_code == _STATUS_ERROR or fields.get("succeeded") is False or "error_type" in fields:
        return True
    if str(fields.get("level", "")).upper() in _FAILED_LEVELS:
        return True
    return told.exception is not None and told.span.status_code == 0 and told.result is None


def _judge_answer(told: Told) -> Verdict:
    if told.role in _NEEDS_RESULT:
        return _judge_result(told.result)
    if told.role == Role.MODEL and told.result is None and not (told.fields.keys() & {"output_tokens", "model"}):
        return Verdict(SpanState.UNREPORTED, rule="no_result")
    return Verdict(Outcome.OK, rule="ended")


def _judge_result(result: Unwrapped | None) -> Verdict:
    if result is None:
        return Verdict(SpanState.UNREPORTED, rule="no_result")
    if result.has_failed:
        text = as_text(result.value)[:MESSAGE_MAX]
        return Verdict(judge_error((text,)).outcome, text, "envelope.status")
    if is_empty(result.value):
        return Verdict(Outcome.EMPTY, rule="empty")
    if found := judge_envelope(result.value):
        return Verdict(found[0].outcome, found[1], found[0].rule)
    return Verdict(Outcome.OK, rule="result")
