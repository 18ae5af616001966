"""From bytes to what was asked, strictly: unknown fields, nulls and duplicate keys are refused with the field's name. Pure."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from agentconsole.errors import ConsoleError
from agentconsole.protocol.exact_json import DEPTH_MAX, ExactJsonError, parse_exact, shown_key
from agentconsole.protocol.fingerprint import is_fingerprint
from approvals.models.action import KEY_MAX, NOTE_MAX, TOOL_MAX, OutcomeStatus
from approvals.services.claiming import Claimed
from approvals.submission import TEXTS, Submission, console_fields, seconds_of

_DURATION = re.compile(r"[1-9][0-9]*[smh]")
_DURATION_MAX = 15
TIMEOUT_MAX_S = 7 * 86_400
WAIT_MAX_S = 30
_KEY = re.compile(rf"[\x21-\x7e](?:[\x20-\x7e]{{0,{KEY_MAX - 2}}}[\x21-\x7e])?")
_REQUEST: Mapping[str, type] = {
    "tool": str,
    "arguments": dict,
    "timeout": str,
    "server": str,
    "agent_reasoning": str,
    "context": dict,
}
_ACTION: Mapping[str, type] = {
    "tool": str,
    "arguments": dict,
    "server": str,
    "operation": str,
    "resource": str,
    "schema_digest": str,
    "fingerprint": str,
}
_KINDS: Mapping[type, str] = {str: "a text", dict: "an object"}


class InvalidRequestError(ConsoleError):
    """A request that is not the protocol's. `param` names the field."""

    code: ClassVar[str] = "invalid_request"
    http_status: ClassVar[int] = 400
    title: ClassVar[str] = "That is no AAP request"


class MissingKeyError(ConsoleError):
    """A call that needs an Idempotency-Key and has none."""

    code: ClassVar[str] = "missing_idempotency_key"
    http_status: ClassVar[int] = 400
    title: ClassVar[str] = "No Idempotency-Key"


def submission_in(body: bytes) -> Submission:
    """The request that a body asks for. InvalidRequestError, InvalidSubmissionError (of `context.agentconsole`)."""
    sent = fields_in(object_in(body), _REQUEST, ("tool", "arguments", "timeout"))
    for name in ("tool", "server"):
        _refuse_name(sent, name)
    seconds = duration_s(sent["timeout"], "timeout")
    if seconds > TIMEOUT_MAX_S:
        raise wrong("timeout", "is at most 168h")
    return Submission(
        tool=sent["tool"],
        arguments=sent["arguments"],
        timeout=sent["timeout"],
        timeout_s=seconds,
        server=sent.get("server"),
        agent_reasoning=sent.get("agent_reasoning"),
        context=sent.get("context"),
        console=console_fields(sent.get("context")),
    )


def claimed_in(body: bytes) -> Claimed | None:
    """What a claim says is about to run; None for a plain AAP claim, which says nothing. InvalidRequestError."""
    if not body.strip():
        return None
    # The action stands one level deeper than where it was asked: what could be asked can be claimed.
    sent = fields_in(object_in(body, depth_max=DEPTH_MAX + 1), {"action": dict}, ())
    if "action" not in sent:
        return None
    action = fields_in(sent["action"], _ACTION, ("tool", "arguments"), "action.")
    for name in ("tool", "server"):
        _refuse_name(action, name, "action.")
    for name in ("operation", "resource", "schema_digest"):
        if len(action.get(name, "")) > TEXTS[name]:
            raise wrong(f"action.{name}", f"is a text of at most {TEXTS[name]} characters")
    if "fingerprint" in action and not is_fingerprint(action["fingerprint"]):
        raise wrong("action.fingerprint", "is acf1: and 64 hex digits")
    return Claimed(**action)


def outcome_in(body: bytes) -> tuple[OutcomeStatus, str | None]:
    """The outcome that a report tells, and its note. InvalidRequestError."""
    sent = fields_in(object_in(body), {"status": str, "note": str}, ("status",))
    if sent["status"] not in (OutcomeStatus.SUCCEEDED, OutcomeStatus.FAILED):
        raise wrong("status", "is succeeded or failed")
    note = sent.get("note")
    if note is not None and not 0 < len(note) <= NOTE_MAX:
        raise wrong("note", f"is a text of 1 to {NOTE_MAX} characters, or left out")
    return OutcomeStatus(sent["status"]), note


def duration_s(text: str, name: str) -> int:
    """The seconds of `30s`, `30m`, `24h`. InvalidRequestError."""
    if len(text) > _DURATION_MAX or not _DURATION.fullmatch(text):
        raise wrong(name, "is a whole number and s, m or h, such as 30s, 30m or 24h")
    return seconds_of(text)


def wait_s_in(waits: list[str]) -> int:
    """The seconds that a poll waits, 30 at most; 0 without one. InvalidRequestError."""
    if not waits:
        return 0
    if len(waits) > 1:
        raise wrong("wait", "comes once")
    return min(duration_s(waits[0], "wait"), WAIT_MAX_S)


def idempotency_key_in(header: str | None) -> str:
    """The key of an `Idempotency-Key` header. MissingKeyError, InvalidRequestError."""
    if not header or not header.strip():
        raise MissingKeyError("Send an Idempotency-Key header: one key for one execution attempt, the same on a retry.")
    if not _KEY.fullmatch(header):
        raise wrong("Idempotency-Key", f"is 1 to {KEY_MAX} visible ASCII characters")
    return header


def object_in(body: bytes, *, depth_max: int = DEPTH_MAX) -> dict[str, Any]:
    """The JSON object that a body is. InvalidRequestError."""
    try:
        value = parse_exact(body, depth_max=depth_max)
    except ExactJsonError as error:
        raise InvalidRequestError(error.message, param=error.place) from error
    if not isinstance(value, dict):
        raise InvalidRequestError("The body is a JSON object.")
    return value


def fields_in(
    sent: dict[str, Any], known: Mapping[str, type], needed: tuple[str, ...], place: str = ""
) -> dict[str, Any]:
    """The fields of an object: only known ones, of their type, none that is needed missing. InvalidRequestError."""
    for name, value in sent.items():
        if name not in known:
            raise InvalidRequestError(
                f"There is a field that the protocol does not know. It knows {', '.join(known)}.",
                param=f"{place}{shown_key(name)}",
            )
        if not isinstance(value, known[name]):
            raise wrong(f"{place}{name}", f"is {_KINDS[known[name]]}; leave it out rather than sending null")
        if isinstance(value, str) and "\0" in value:
            raise wrong(f"{place}{name}", "holds a NUL character, which PostgreSQL can't keep. Leave it out")
    for name in needed:
        if name not in sent:
            raise wrong(f"{place}{name}", "is needed")
    return sent


def _refuse_name(sent: dict[str, Any], name: str, place: str = "") -> None:
    if name in sent and not 0 < len(sent[name]) <= TOOL_MAX:
        raise wrong(f"{place}{name}", f"is a text of 1 to {TOOL_MAX} characters")


def wrong(name: str, rule: str) -> InvalidRequestError:
    """The error of a field that breaks a rule."""
    return InvalidRequestError(f"{name} {rule}.", param=name)
