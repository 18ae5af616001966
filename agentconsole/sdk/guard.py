"""`@guarded`: the approval boundary around a tool, where the model can't step past it."""

import asyncio
import copy
import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar, cast

from agentconsole.protocol.context import current_context
from agentconsole.protocol.ids import uuid7
from agentconsole.sdk.arguments import arguments_of
from agentconsole.sdk.boundary import Allowed, Proposal, cross, json_value, resumed
from agentconsole.sdk.classify import classify_error
from agentconsole.sdk.door import Door
from agentconsole.sdk.errors import ApprovalPending, ApprovalUnavailable
from agentconsole.sdk.invoke import Ending, Tool
from agentconsole.sdk.span import current_scope

if TYPE_CHECKING:
    from agentconsole.sdk.console import Console

P = ParamSpec("P")
R = TypeVar("R")
Resource = str | Callable[[Mapping[str, Any]], str]

_allowed: ContextVar[Allowed | None] = ContextVar("agentconsole_allowed", default=None)
_ticket: ContextVar[dict[str, Any] | None] = ContextVar("agentconsole_ticket", default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the author of a tool says of it. `injected` names parameters that only carry it out (a client, a session):
    they are not shown to anybody and not part of the fingerprint, so they must not change what is done."""

    operation: str
    server: str
    resource: Resource
    risk: str
    summary: str
    timeout: str
    wait_s: float | None
    injected: frozenset[str]
    console: "Console | None"
    on_pending: Callable[[ApprovalPending], None] | None


def guarded(
    operation: str = "",
    *,
    resource: Resource = "",
    server: str = "",
    risk: str = "",
    summary: str = "",
    timeout: str = "30m",
    wait_s: float | None = None,
    injected: tuple[str, ...] = (),
    console: "Console | None" = None,
    on_pending: Callable[[ApprovalPending], None] | None = None,
) -> Callable[[Callable[P, R]], "Guarded[P, R]"]:
    """Decorator: the tool runs only with a person's or the policy's approval of exactly these arguments, and once.

    `resource` may be computed from the arguments. `timeout` (`30s`, `30m`, `24h`) is how long people have to decide; `wait_s`
    how long the call waits for them before it raises ApprovalPending (None: to the end). The console is the open run's
    unless given. `on_pending` is told of an ApprovalPending, also inside `run.call`, which makes an envelope of it: the place to
    keep the ticket. Raises an ApprovalRefused wherever it does not run.
    """
    terms = Terms(
        operation=operation, server=server, resource=resource, risk=risk, summary=summary, timeout=timeout,
        wait_s=wait_s, injected=frozenset(injected), console=console,
        on_pending=on_pending,
    )  # fmt: skip
    return lambda tool: Guarded(tool, terms)


def granted() -> Allowed | None:
    """Inside a guarded tool: the approval that it runs under, with the grant to hand to the tool server."""
    return _allowed.get()


@contextmanager
def resuming(ticket: dict[str, Any]) -> Iterator[None]:
    """The first guarded call in this block goes on with the request that ApprovalPending gave the ticket for."""
    token = _ticket.set(ticket)
    try:
        yield
    finally:
        _ticket.reset(token)


class Guarded(Generic[P, R]):
    """A tool behind the boundary. Calling it asks, waits, claims, runs the tool once and reports; so does `run.call(it, …)`,
    whose budget begins only when it was approved."""

    def __init__(self, tool: Callable[P, R], terms: Terms) -> None:
        functools.update_wrapper(self, tool)
        self.__name__ = str(getattr(tool, "__name__", type(tool).__name__))
        self._tool = tool
        self._terms = terms

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """The tool's own answer, or what it raised; a coroutine where the tool is one."""
        crossing = self.crossing(args, kwargs)
        return cast(R, crossing.arun() if inspect.iscoroutinefunction(self._tool) else crossing.run())

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        """As a method: bound to its object."""
        return (
            self
            if instance is None
            else Guarded(functools.partial(cast(Callable[..., R], self._tool), instance), self._terms)
        )

    def crossing(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> "Crossing":
        """One call that is about to be made."""
        return Crossing(self._tool, self._terms, self.__name__, args, kwargs)


class Crossing:
    """One guarded call. What is approved and what runs is one copy of the arguments, which nobody else holds."""

    def __init__(
        self, tool: Callable[..., Any], terms: Terms, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        bound = inspect.signature(tool).bind(*args, **kwargs)
        bound.apply_defaults()
        for parameter in bound.arguments.keys() - terms.injected:
            bound.arguments[parameter] = copy.deepcopy(bound.arguments[parameter])
        self._bound = Tool.bind(tool, bound.args, bound.kwargs)
        self._terms = terms
        self._named = arguments_of(tool, bound.args, bound.kwargs)
        self._name = name
        self._door: Door | None = None
        self.allowed: Allowed | None = None

    def cross(self) -> Tool:
        """Block until the call may be made; the call. Raises an ApprovalRefused."""
        self._door = self._open_door()
        with self._keeping_ticket():
            self.allowed = self._door.drive(cross(self._proposal()))
        return self._under(self.allowed)

    async def across(self) -> Tool:
        """As `cross`, from a running loop."""
        self._door = self._open_door()
        with self._keeping_ticket():
            self.allowed = await self._door.adrive(cross(self._proposal()))
        return self._under(self.allowed)

    def run(self) -> Any:
        """Cross, make the call, report."""
        tool = self.cross()
        try:
            value = tool.run()
        except BaseException as error:
            self.report(Ending(error=error if isinstance(error, Exception) else RuntimeError(type(error).__name__)))
            raise
        self.report(Ending(value=value))
        return value

    async def arun(self) -> Any:
        """As `run`, from a running loop."""
        tool = await self.across()
        try:
            value = await tool.run()
        except BaseException as error:
            await asyncio.to_thread(self.report, Ending(error=error if isinstance(error, Exception) else None))
            raise
        await asyncio.to_thread(self.report, Ending(value=value))
        return value

    def report(self, ending: Ending) -> None:
        """Tell the console what became of it. A call that was cut off may still be at work: nothing is told, and a person
        has to find out."""
        if self._door is None or self.allowed is None or ending.expired:
            return
        if ending.error is not None:
            self._door.report(self.allowed.request_id, "failed", classify_error(ending.error).message)
        else:
            self._door.report(self.allowed.request_id, "succeeded")

    def never_ran(self, reason: str) -> None:
        """It was allowed, and yet the call was not made."""
        if self._door is not None and self.allowed is not None:
            self._door.report(self.allowed.request_id, "failed", f"not run: {reason}")

    @contextmanager
    def _keeping_ticket(self) -> Iterator[None]:
        try:
            yield
        except ApprovalPending as pending:
            if self._terms.on_pending is not None:
                self._terms.on_pending(pending)
            raise

    def _under(self, allowed: Allowed) -> Tool:
        """The call, made inside of its approval."""
        bound = self._bound

        async def arun() -> Any:
            token = _allowed.set(allowed)
            try:
                return await bound.run()
            finally:
                _allowed.reset(token)

        def run() -> Any:
            token = _allowed.set(allowed)
            try:
                return bound.run()
            finally:
                _allowed.reset(token)

        return Tool(arun if bound.is_async else run, bound.is_async, bound.stop)

    def _open_door(self) -> Door:
        scope = current_scope()
        console = self._terms.console or (scope.run.console if scope else None)
        if console is None or console.endpoint is None:
            raise ApprovalUnavailable(
                "there is no console to ask: open a run of a Console that is on, or pass console="
            )
        return Door(*console.endpoint)

    def _proposal(self) -> Proposal:
        terms, scope, context = self._terms, current_scope(), current_context()
        arguments = _as_json(self._name, self._named, terms.injected)
        resource = terms.resource(arguments) if callable(terms.resource) else terms.resource
        left_s = scope.run.remaining_s() if scope else None
        waits = [wait for wait in (terms.wait_s, left_s) if wait is not None]
        key = str(uuid7())
        fields = {
            "operation": terms.operation,
            "resource": resource,
            "risk": terms.risk,
            "summary": terms.summary,
            "run_id": scope.run.run_id if scope else "",
            "request_id": context.request_id if context else "",
            "trace_id": context.trace_id if context else "",
            "on_behalf_of": context.on_behalf_of if context else "",
        }
        proposal = Proposal(
            tool=self._name, arguments=arguments, timeout=terms.timeout, key=key,
            context={"agentconsole": {name: value for name, value in fields.items() if value}, "call_id": key},
            server=terms.server, operation=terms.operation, resource=resource, wait_s=min(waits, default=None),
        )  # fmt: skip
        ticket = _ticket.get()
        if ticket is None:
            return proposal
        _ticket.set(None)
        return resumed(proposal, ticket)


def _as_json(name: str, arguments: Mapping[str, Any], injected: frozenset[str]) -> dict[str, Any]:
    """The arguments as the JSON that is approved. ApprovalUnavailable for what JSON has no word for."""
    shown = {key: value for key, value in arguments.items() if key not in injected}
    try:
        return cast(dict[str, Any], json_value(shown))
    except (TypeError, ValueError, RecursionError) as error:
        raise ApprovalUnavailable(
            f"an argument of {name} is no JSON value, so nobody can approve it: pass plain values, or name what only carries"
            " the call out in injected=(…)"
        ) from error
