"""What an agent asks: the fields of an AAP request, and what the console reads from its context. Pure."""

from dataclasses import dataclass, field
from typing import Any, ClassVar
from uuid import UUID

from agentconsole.errors import ConsoleError
from agentconsole.protocol.fingerprint import ActionEnvelope, canonical_json, digest_of
from agentconsole.protocol.ids import is_request_id, is_trace_id
from approvals.policy import Risk

CONSOLE_KEY = "agentconsole"
# Of each text that the console reads from the context: its longest form.
TEXTS = {
    "operation": 200,
    "resource": 500,
    "schema_digest": 100,
    "summary": 2000,
    "on_behalf_of": 200,
    "request_id": 128,
    "trace_id": 32,
}
_FIELDS = frozenset(TEXTS) | {"risk", "run_id"}


class InvalidSubmissionError(ConsoleError):
    """A field of a request that can't be taken; `param` names it."""

    code: ClassVar[str] = "invalid_submission"
    http_status: ClassVar[int] = 400
    title: ClassVar[str] = "The request can't be taken"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleFields:
    """What a request's `context.agentconsole` may say beyond AAP. Claims, all of them."""

    operation: str = ""
    resource: str = ""
    schema_digest: str = ""
    summary: str = ""
    risk: Risk | None = None
    on_behalf_of: str = ""
    run_id: UUID | None = None
    request_id: str = ""
    trace_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """One asked call, parsed as exact JSON (`agentconsole.protocol.exact_json`). None: not sent."""

    tool: str
    arguments: dict[str, Any]
    timeout: str
    timeout_s: int
    server: str | None = None
    agent_reasoning: str | None = None
    context: dict[str, Any] | None = None
    console: ConsoleFields = field(default_factory=ConsoleFields)

    def digest(self) -> str:
        """SHA-256 (hex) of the parsed fields: the same request twice has the same one, whatever its spacing and key order."""
        sent = {
            "tool": self.tool,
            "server": self.server,
            "arguments": self.arguments,
            "timeout": self.timeout,
            "agent_reasoning": self.agent_reasoning,
            "context": self.context,
        }
        return digest_of(canonical_json({name: value for name, value in sent.items() if value is not None}))

    def envelope(self, *, environment: str, agent: str, on_behalf_of: str) -> ActionEnvelope:
        """The action that it asks for, as its instance's credential and delegation prove it."""
        return ActionEnvelope(
            environment=environment,
            operation=self.console.operation or self.tool,
            tool=self.tool,
            server=self.server or "",
            schema_digest=self.console.schema_digest,
            arguments=self.arguments,
            resource=self.console.resource,
            agent=agent,
            on_behalf_of=on_behalf_of,
        )


_UNITS = {"s": 1, "m": 60, "h": 3600}


def seconds_of(timeout: str) -> int:
    """The seconds of an AAP duration: `30s`, `30m`, `24h`."""
    return int(timeout[:-1]) * _UNITS[timeout[-1]]


def console_fields(context: dict[str, Any] | None) -> ConsoleFields:
    """What the console reads from a request's context: its own part, strictly; of the rest, the names of a run.

    InvalidSubmissionError names the field that is wrong.
    """
    if context is None:
        return ConsoleFields()
    own = context.get(CONSOLE_KEY, {})
    if not isinstance(own, dict):
        raise _invalid(CONSOLE_KEY, "is an object")
    unknown = sorted(own.keys() - _FIELDS)
    if unknown:
        raise _invalid(CONSOLE_KEY, f"has fields that the console does not know. It knows {', '.join(sorted(_FIELDS))}")
    texts = {name: _text(own, name) for name in TEXTS}
    # Other frameworks' adapters name the run beside ours; a name of another form is simply theirs.
    texts["request_id"] = texts["request_id"] or _foreign(context, "request_id", is_request_id)
    texts["trace_id"] = texts["trace_id"] or _foreign(context, "trace_id", is_trace_id)
    if texts["request_id"] and not is_request_id(texts["request_id"]):
        raise _invalid(f"{CONSOLE_KEY}.request_id", "is 1 to 128 of A-Za-z0-9._:/@+=-, starting with a letter or digit")
    if texts["trace_id"] and not is_trace_id(texts["trace_id"]):
        raise _invalid(f"{CONSOLE_KEY}.trace_id", "is 32 lower-case hex digits")
    return ConsoleFields(**texts, risk=_risk(own), run_id=_run_id(own))


def _text(own: dict[str, Any], name: str) -> str:
    value = own.get(name, "")
    if not isinstance(value, str) or len(value) > TEXTS[name] or "\0" in value:
        raise _invalid(f"{CONSOLE_KEY}.{name}", f"is a text of at most {TEXTS[name]} characters, none of them NUL")
    return value


def _foreign(context: dict[str, Any], name: str, is_sane: Any) -> str:
    value = context.get(name)
    return value if isinstance(value, str) and is_sane(value) else ""


def _risk(own: dict[str, Any]) -> Risk | None:
    value = own.get("risk")
    if value is None:
        return None
    try:
        return Risk(value)
    except ValueError as error:
        raise _invalid(f"{CONSOLE_KEY}.risk", "is low, medium or high") from error


def _run_id(own: dict[str, Any]) -> UUID | None:
    value = own.get("run_id")
    if value is None:
        return None
    try:
        return UUID(value)
    except (ValueError, AttributeError, TypeError) as error:
        raise _invalid(f"{CONSOLE_KEY}.run_id", "is the UUID of a run") from error


def _invalid(place: str, rule: str) -> InvalidSubmissionError:
    return InvalidSubmissionError(f"context.{place} {rule}.", param=f"context.{place}")
