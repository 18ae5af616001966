"""The request context: who asked, through which door, on whose behalf."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Self

from agentconsole.protocol.ids import is_request_id, is_trace_id, new_request_id, new_span_id, parse_traceparent
from agentconsole.protocol.redaction import shows_secret


class Transport(StrEnum):
    """The door that a request came in through."""

    WEB = "web"
    REST = "rest"
    WEBSOCKET = "websocket"
    SLACK = "slack"
    GRPC = "grpc"
    SCHEDULE = "schedule"
    MCP = "mcp"
    CLI = "cli"


@dataclass(frozen=True, slots=True)
class RequestContext:
    """What every log line, row, task and outgoing call of one request has in common.

    `actor` is proven by a credential or a session; `subject` and `on_behalf_of` are claims until a delegation token
    proves them. `deadline` is an aware time after which nobody waits for the answer.
    """

    request_id: str
    transport: Transport
    actor: str = ""
    subject: str = ""
    on_behalf_of: str = ""
    environment: str = ""
    session_id: str = ""
    trace_id: str = ""
    deadline: datetime | None = None

    @classmethod
    def mint(cls, transport: Transport, *, actor: str = "") -> Self:
        """A context for work that starts here: a schedule, a command, a socket."""
        return cls(request_id=new_request_id(), transport=transport, actor=actor)

    @classmethod
    def from_headers(cls, headers: Mapping[str, str], transport: Transport) -> Self:
        """The context of an incoming call. `headers` has lower-case names; insane values are ignored, never an error."""
        offered = headers.get("x-request-id", "").strip()
        parent = parse_traceparent(headers.get("traceparent", ""))
        return cls(
            request_id=offered if is_request_id(offered) and not shows_secret(offered) else new_request_id(),
            transport=transport,
            trace_id=parent[0] if parent else "",
        )

    def with_actor(self, actor: str, *, environment: str = "") -> Self:
        """The same request, now that its credential or session has been read."""
        return replace(self, actor=actor, environment=environment or self.environment)

    def to_headers(self) -> dict[str, str]:
        """Headers that carry this context to the next service: `X-Request-ID`, and `traceparent` where a trace is known."""
        headers = {"X-Request-ID": self.request_id}
        if is_trace_id(self.trace_id):
            headers["traceparent"] = f"00-{self.trace_id}-{new_span_id()}-01"
        return headers

    def to_message(self) -> dict[str, str]:
        """The context as flat text, for a task's message headers; `from_message` reads it back."""
        fields = {name: str(getattr(self, name)) for name in _TEXT_FIELDS if getattr(self, name)}
        if self.deadline is not None:
            fields["deadline"] = self.deadline.isoformat()
        return fields

    @classmethod
    def from_message(cls, fields: Mapping[str, str]) -> Self:
        """The context of `to_message`. KeyError or ValueError if it is not one."""
        deadline = fields.get("deadline")
        texts = {name: fields[name] for name in _TEXT_FIELDS if name in fields and name != "transport"}
        return cls(
            transport=Transport(fields["transport"]),
            deadline=datetime.fromisoformat(deadline) if deadline else None,
            **{"request_id": fields["request_id"], **texts},
        )

    def log_fields(self) -> dict[str, str]:
        """What a log line carries: the fields that are set, without the deadline."""
        return {name: str(getattr(self, name)) for name in _LOGGED_FIELDS if getattr(self, name)}


_TEXT_FIELDS = (
    "request_id", "transport", "actor", "subject", "on_behalf_of", "environment", "session_id", "trace_id",
)  # fmt: skip
_LOGGED_FIELDS = ("request_id", "transport", "actor", "environment", "trace_id")

_current: ContextVar[RequestContext | None] = ContextVar("request_context", default=None)


def current_context() -> RequestContext | None:
    """The context of the request being worked on in this thread or task, or None outside of one."""
    return _current.get()


@contextmanager
def bound_context(context: RequestContext) -> Iterator[RequestContext]:
    """Make `context` the current one for the length of a with-block."""
    token = bind_context(context)
    try:
        yield context
    finally:
        unbind_context(token)


def bind_context(context: RequestContext) -> Token[RequestContext | None]:
    """Make `context` the current one until `unbind_context`, where a with-block is not at hand."""
    return _current.set(context)


def unbind_context(token: Token[RequestContext | None]) -> None:
    """Make the context before `bind_context` current again. ValueError in another thread or task than that one's."""
    _current.reset(token)
