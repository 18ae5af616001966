"""Pieces of a run: sub-agents, tool calls, model calls, retrievals, steps; and what can be done inside each."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar, Token
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

from agentconsole.protocol.envelope import Budget, Envelope, Hint, Outcome, SpanState
from agentconsole.protocol.ids import new_span_id
from agentconsole.sdk import items
from agentconsole.sdk.call import CallOptions, ToolCall
from agentconsole.sdk.classify import classify_error, is_empty
from agentconsole.sdk.invoke import Ending
from agentconsole.sdk.payload import Payload, prepare, prepare_name, prepare_text
from agentconsole.sdk.report import report_abandoned, report_call, report_turn
from agentconsole.sdk.retry import Retry
from agentconsole.sdk.tools import Fallback, ToolCaller

if TYPE_CHECKING:
    from agentconsole.sdk.run import Run

SpanKind = Literal["model", "retrieval", "step"]


_innermost: ContextVar["Scope | None"] = ContextVar("agentconsole_scope", default=None)


class Scope(ToolCaller):
    """A run, or a piece of one, in which work can be done. What is begun here belongs to the innermost piece that is
    open in this thread or task, if that is inside of this one; else to this one."""

    run: "Run"
    parent: "Scope | None" = None
    span_id: str = ""
    agent: str = ""

    def subagent(self, name: str, *, query: str = "") -> "Span":
        """A sub-agent at work: `with run.subagent("storage", query="…") as sub: …; sub.result("text")`."""
        return Span(self._inner(), "subagent", name, arguments={"query": query} if query else None)

    def span(self, kind: SpanKind, name: str, *, arguments: Any = None) -> "Span":
        """A timed piece of work that is not a tool call: a model call, a retrieval, a step."""
        return Span(self._inner(), kind, name, arguments=arguments)

    def event(self, token: str, *, level: str = "info", message: str = "", **fields: Any) -> None:
        """Record a trace event. `token` is UPPER_SNAKE."""
        self.run.record(
            items.event, self.run.run_id, self.run.context.request_id, token,
            level=level, message=message, span_id=self.span_id, fields=fields,
        )  # fmt: skip

    def _inner(self) -> "Scope":
        innermost = scope = _innermost.get()
        while scope is not None and scope is not self:
            scope = scope.parent
        return innermost if innermost is not None and scope is self else self

    def _options(
        self, name: str, budget: Budget, idempotent: bool, fallback: Fallback | None, retry: Retry | None
    ) -> CallOptions:
        hint = Hint(*fallback) if isinstance(fallback, tuple) else fallback
        request_id = self.run.context.request_id
        return CallOptions(name, budget, idempotent, retry or self.run.console.retry, hint, request_id)

    @contextmanager
    def _tool_span(self, options: CallOptions, arguments: Any) -> Iterator[tuple["Span", ToolCall]]:
        course = ToolCall(options, self.run.console.circuits.of(options.name), self.run.remaining_s)
        with Span(self._inner(), "tool", options.name, arguments=arguments, budget=options.budget) as span:
            try:
                yield span, course
            finally:
                course.release()


class Span(Scope):
    """A piece of a run, from the entry of its with-block to the exit. An exception gives it its outcome and goes on."""

    def __init__(
        self, parent: Scope, kind: str, name: str, *, arguments: Any = None, budget: Budget | None = None
    ) -> None:
        self.parent = parent
        self.run = parent.run
        self.span_id = new_span_id()
        self.agent = prepare_name(name) if kind == "subagent" else parent.agent
        self._has_result = False
        self._begun_at = 0.0
        self._token: Token[Scope | None] | None = None
        self.state = items.SpanFields(
            self.run.run_id, self.span_id, kind, prepare_name(name), datetime.now(UTC),
            parent_id=parent.span_id, agent=self.agent, budget=budget,
            trace_id=self.run.context.trace_id, request_id=self.run.context.request_id,
        )  # fmt: skip
        if arguments is not None and self.run.console.is_on:
            self.state.arguments = prepare(arguments, "arguments")

    def result(self, value: Any) -> None:
        """What this piece of work came to. Without one, a sub-agent or model call that ends is `unreported`, not ok."""
        self._has_result = True
        self.state.outcome = (Outcome.EMPTY if is_empty(value) else Outcome.OK).value
        self._keep_result(value)

    def note(self, **attributes: Any) -> None:
        """Facts beside the result: the model's name, token counts."""
        self.state.attributes.update(attributes)

    def __enter__(self) -> Self:
        self._token = _innermost.set(self)
        self._begun_at = time.monotonic()
        self.state.started_at = datetime.now(UTC)
        self.state.phase = self.run.phase_name
        self.run.record(items.span, self.state)
        self._say_redacted(self.state.arguments)
        if self.state.kind == "subagent":
            self.event("SUBAGENT_STARTED", agent=self.agent)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._token is not None:
            leave(self._token)
        if self.state.ended_at is None:
            self._close(error)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, traceback)

    def settle_try(self, course: ToolCall, ending: Ending) -> None:
        """Take note of one try of a tool's span."""
        turn = course.settle(ending)
        if ending.is_still_working is not None:
            self.run.console.abandon(ending.is_still_working)
            report_abandoned(self, self.state.name, self.run.console.abandoned_threads)
        report_turn(self, self.state.name, turn)

    def close_call(self, envelope: Envelope) -> Envelope:
        """End a tool's span by its envelope."""
        self.state.outcome = envelope.outcome.value
        self.state.retryable = envelope.retryable
        self.state.attempts = envelope.attempts
        self.state.hint = envelope.hint
        self.state.message = envelope.message
        if envelope.outcome.has_data:
            self._keep_result(envelope.data)
        self._send(envelope.elapsed_ms)
        report_call(self, envelope)
        return envelope

    def _close(self, error: BaseException | None) -> None:
        if isinstance(error, Exception):
            verdict = classify_error(error)
            self.state.outcome, self.state.message = verdict.outcome.value, verdict.message
        elif error is not None:
            self.state.outcome = SpanState.UNREPORTED.value
            self.state.message = prepare_text(f"ended by {type(error).__name__}")
        elif not self._has_result:
            self.state.outcome = Outcome.OK.value if self.state.kind == "step" else SpanState.UNREPORTED.value
        self._send(round((time.monotonic() - self._begun_at) * 1000))
        if self.state.kind == "subagent":
            self.event("SUBAGENT_FINISHED", agent=self.agent, outcome=self.state.outcome)

    def _keep_result(self, value: Any) -> None:
        if not self.run.console.is_on:
            return
        self.state.result = payload = prepare(value, "result")
        if payload.cut is not None:
            self.event("RESULT_TRUNCATED", chars=payload.cut.chars, left_out=payload.cut.cut_chars)
        self._say_redacted(payload)

    def _say_redacted(self, payload: Payload | None) -> None:
        if payload is not None and payload.redacted:
            found = [f"{hit.detector} in {hit.place}" for hit in payload.redacted[:20]]
            self.event("SECRET_LEAK_BLOCKED", level="error", secrets=len(payload.redacted), found=found)

    def _send(self, elapsed_ms: int) -> None:
        self.state.elapsed_ms = elapsed_ms
        self.state.ended_at = datetime.now(UTC)
        self.run.record(items.span, self.state)


def enter(scope: Scope) -> Token[Scope | None]:
    """Make `scope` the innermost one of this thread or task."""
    return _innermost.set(scope)


def leave(token: Token[Scope | None]) -> None:
    """Undo `enter`. A generator may be closed in another context than it began in: then there is nothing to undo."""
    with suppress(ValueError, RuntimeError):
        _innermost.reset(token)


def current_scope() -> Scope | None:
    """The innermost run or span that is open in this thread or task."""
    return _innermost.get()
