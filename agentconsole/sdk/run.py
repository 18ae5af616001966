"""A run: one request worked on by this agent, from the entry of its with-block to the exit."""

import asyncio
import os
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, Self

import httpx
import structlog

from agentconsole.protocol.context import RequestContext, bind_context, unbind_context
from agentconsole.protocol.ids import uuid7
from agentconsole.sdk import items
from agentconsole.sdk.payload import prepare_name, prepare_text
from agentconsole.sdk.span import Scope, Span, current_scope, enter, leave

if TYPE_CHECKING:
    from agentconsole.sdk.console import Console

P = ParamSpec("P")
RunStatus = Literal["succeeded", "failed", "timed_out", "cancelled"]
NO_PHASE = "run"
PHASE_CHARS = 100


class Run(Scope):
    """Use as `with console.run(...) as run:` or `async with`. While open, the ambient request context is the run's."""

    def __init__(
        self, console: "Console", context: RequestContext, *, query: str, heartbeat_s: float, lease_s: float,
        attributes: Mapping[str, Any],
    ) -> None:  # fmt: skip
        self.run = self
        self.run_id = str(uuid7())
        self.console = console
        self.context = context
        self.heartbeat_s = heartbeat_s
        self._lease_s = lease_s
        self._query = query
        self._attributes = attributes
        self._phases: list[str] = []
        self._is_finished = False
        self._pid = os.getpid()
        self._finishing = threading.RLock()
        self._unbind: list[Callable[[], object]] = []
        left_s = (context.deadline - datetime.now(UTC)).total_seconds() if context.deadline else None
        self._deadline_at = None if left_s is None else time.monotonic() + left_s

    @property
    def phase_name(self) -> str:
        """The phase that was entered last and is still open, or empty."""
        return self._phases[-1] if self._phases else ""

    def remaining_s(self) -> float | None:
        """Seconds until the deadline (negative after it), or None where there is none."""
        return None if self._deadline_at is None else self._deadline_at - time.monotonic()

    def phase(self, name: str) -> "Phase":
        """A named stage of the run: `with run.phase("gather"): …`."""
        return Phase(self, name)

    def finish(self, status: RunStatus, *, summary: str = "", error: str = "") -> None:
        """End the run. The first ending counts; leaving the with-block gives one where none was given. In a fork's child it
        does nothing: the run is the parent's."""
        with self._finishing:
            if self._is_finished or os.getpid() != self._pid:
                return
            self._is_finished = True
        self.console.heartbeat.remove(self)
        self.event("RUN_FINISHED", status=status)
        self.record(
            items.run_finished, self.run_id, self.context.request_id, status=status, summary=summary, error=error
        )

    def client(self, **options: Any) -> httpx.Client:
        """An httpx client whose calls carry the run's request id and trace. `options` are httpx's own."""
        return httpx.Client(**_hooked(options, self._add_headers))

    def async_client(self, **options: Any) -> httpx.AsyncClient:
        """As `client`, asynchronous."""

        async def add_headers(request: httpx.Request) -> None:
            self._add_headers(request)

        return httpx.AsyncClient(**_hooked(options, add_headers))

    def beat(self) -> None:
        """Say that the run is still going; the heartbeat thread does it every `heartbeat_s`."""
        self.tick(self.phase_name or NO_PHASE, "alive")

    def tick(self, phase: str, state: str, detail: str = "") -> None:
        """Record a phase tick."""
        self.record(items.tick, self.run_id, self.context.request_id, phase=phase, state=state, detail=detail)

    def record(self, build: Callable[P, dict[str, Any]], *args: P.args, **kwargs: P.kwargs) -> None:
        """Hand an item of this run to the console."""
        self.console.record(build, *args, **kwargs)

    def open_phase(self, name: str) -> None:
        """Enter a phase; `Phase` is the way to do so."""
        self._phases.append(name)

    def close_phase(self, name: str) -> None:
        """Leave a phase."""
        if name in self._phases:
            self._phases.remove(name)

    def __enter__(self) -> Self:
        self._bind()
        self.record(
            items.run_started, self.run_id, datetime.now(UTC), self.context, query=self._query,
            heartbeat_s=self.heartbeat_s, lease_s=self._lease_s, attributes=self._attributes,
        )  # fmt: skip
        self.event("RUN_STARTED")
        self.console.heartbeat.add(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None:
            self.finish("succeeded")
        else:
            said = prepare_text(f"{type(error).__name__}: {error}".removesuffix(": "))
            self.finish(self._status_of(error), error=said)
        for unbind in self._unbind:
            # A generator may be closed in another context than it began in: there is then nothing to undo.
            with suppress(ValueError, RuntimeError):
                unbind()

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, traceback)

    def _bind(self) -> None:
        """Make this run the ambient one: for nested work, for outgoing calls and for the agent's log lines."""
        scope, context = enter(self), bind_context(self.context)
        logged = structlog.contextvars.bind_contextvars(request_id=self.context.request_id, run_id=self.run_id)
        self._unbind = [
            lambda: structlog.contextvars.reset_contextvars(**logged), lambda: unbind_context(context),
            lambda: leave(scope),
        ]  # fmt: skip

    def _status_of(self, error: BaseException) -> RunStatus:
        remaining_s = self.remaining_s()
        if remaining_s is not None and remaining_s <= 0:
            return "timed_out"
        if isinstance(error, Exception) and not isinstance(error, asyncio.CancelledError):
            return "failed"
        return "cancelled"

    def _add_headers(self, request: httpx.Request) -> None:
        headers = self.context.to_headers()
        scope = current_scope()
        if isinstance(scope, Span) and scope.run is self:
            headers["traceparent"] = f"00-{self.context.trace_id}-{scope.span_id}-01"
        for name, value in headers.items():
            request.headers.setdefault(name, value)


class Phase:
    """A stage of a run: ticks when entered and when left; the heartbeat says meanwhile that it is alive."""

    def __init__(self, run: Run, name: str) -> None:
        self._run = run
        self._name = prepare_name(name, PHASE_CHARS)

    def alive(self, detail: str = "") -> None:
        """Say how far it is: `phase.alive("3 of 7 shards")`."""
        self._run.tick(self._name, "alive", detail)

    def __enter__(self) -> Self:
        self._run.open_phase(self._name)
        self._run.tick(self._name, "entered")
        self._run.event("PHASE_ENTERED", phase=self._name)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._run.close_phase(self._name)
        self._run.tick(self._name, "left", f"ended by {kind.__name__}" if kind is not None else "")
        self._run.event("PHASE_LEFT", phase=self._name)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, traceback)


def _hooked(options: dict[str, Any], hook: Callable[[httpx.Request], Any]) -> dict[str, Any]:
    """httpx's options with one more hook on requests, after the caller's own."""
    hooks = dict(options.get("event_hooks") or {})
    return {**options, "event_hooks": {**hooks, "request": [*hooks.get("request", []), hook]}}
