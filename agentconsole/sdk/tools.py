"""How an agent calls its tools, from a thread or from a loop."""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, TypedDict, Unpack

from agentconsole.protocol.envelope import Budget, Envelope, Hint
from agentconsole.sdk.arguments import arguments_of, masked_argv, name_of
from agentconsole.sdk.call import DEFAULT_BUDGET, CallOptions, ToolCall
from agentconsole.sdk.errors import ToolRejected
from agentconsole.sdk.invoke import Ending, Tool, ainvoke, invoke
from agentconsole.sdk.process import Process
from agentconsole.sdk.retry import NO_RETRY, Retry

Fallback = tuple[str, str] | Hint


class ProcessOptions(TypedDict, total=False):
    """What `run_process` takes beside the command line: the options of `call`, and those of a process."""

    budget: Budget
    name: str | None
    idempotent: bool
    fallback: Fallback | None
    retry: Retry | None
    input_text: str
    cwd: str | Path | None
    env: Mapping[str, str] | None
    ok_codes: Sequence[int]


class ToolSpan(Protocol):
    """Where the course of a call is recorded."""

    def settle_try(self, course: ToolCall, ending: Ending) -> None:
        """Take note of how a try ended."""

    def close_call(self, envelope: Envelope) -> Envelope:
        """Take note of what the call came to."""


class Crossing(Protocol):
    """The approval boundary of one call."""

    def cross(self) -> Tool:
        """Block until the call may be made; the call. ToolRejected if it may not."""

    async def across(self) -> Tool:
        """As `cross`, from a running loop."""

    def report(self, ending: Ending) -> None:
        """Take note of how the call ended."""

    def never_ran(self, reason: str) -> None:
        """Take note that it was not made after all."""


class ToolCaller(ABC):
    """What a run and each piece of it can do with tools."""

    def call(
        self,
        tool: Callable[..., Any],
        *args: Any,
        budget: Budget = DEFAULT_BUDGET,
        name: str | None = None,
        idempotent: bool = False,
        fallback: Fallback | None = None,
        retry: Retry | None = None,
        **kwargs: Any,
    ) -> Envelope:
        """Call `tool(*args, **kwargs)` and answer with an envelope; never raises for what the tool does.

        `budget` holds for each try. `idempotent` allows another try after a timeout. `fallback` (what, why) is the hint
        for the model where there is no answer. A tool whose own parameters have these names is wrapped in a partial.
        """
        bound = Tool.bind(tool, args, kwargs)
        if bound.is_async:
            raise TypeError(f"{name_of(tool)} is asynchronous: await acall(...) instead of call(...)")
        options = self._options(name or name_of(tool), budget, idempotent, fallback, retry)
        return self._drive(bound, options, arguments_of(tool, args, kwargs), crossing_of(tool, args, kwargs))

    async def acall(
        self,
        tool: Callable[..., Any],
        *args: Any,
        budget: Budget = DEFAULT_BUDGET,
        name: str | None = None,
        idempotent: bool = False,
        fallback: Fallback | None = None,
        retry: Retry | None = None,
        **kwargs: Any,
    ) -> Envelope:
        """As `call`, from a running loop. An asynchronous tool is really cancelled; a plain one runs in a thread."""
        options = self._options(name or name_of(tool), budget, idempotent, fallback, retry)
        bound, crossing = Tool.bind(tool, args, kwargs), crossing_of(tool, args, kwargs)
        return await self._adrive(bound, options, arguments_of(tool, args, kwargs), crossing)

    def run_process(self, argv: Sequence[str], **options: Unpack[ProcessOptions]) -> Envelope:
        """Run a program as a tool; its data is its standard output. At the hard budget its process group is killed."""
        process, granted = self._process(argv, options)
        return self._drive(Tool.bind(process, (), {}), granted, {"argv": masked_argv(argv)})

    async def arun_process(self, argv: Sequence[str], **options: Unpack[ProcessOptions]) -> Envelope:
        """As `run_process`, from a running loop."""
        process, granted = self._process(argv, options)
        return await self._adrive(Tool.bind(process, (), {}), granted, {"argv": masked_argv(argv)})

    @abstractmethod
    def _options(
        self, name: str, budget: Budget, idempotent: bool, fallback: Fallback | None, retry: Retry | None
    ) -> CallOptions:
        """The options of a call, with what the console object and the run say."""

    @abstractmethod
    def _tool_span(self, options: CallOptions, arguments: Any) -> AbstractContextManager[tuple[ToolSpan, ToolCall]]:
        """A span for a call, open for the length of a with-block, and the call's course."""

    def _process(self, argv: Sequence[str], options: ProcessOptions) -> tuple[Process, CallOptions]:
        process = Process(
            argv, input_text=options.get("input_text", ""), cwd=options.get("cwd"), env=options.get("env"),
            ok_codes=options.get("ok_codes", (0,)),
        )  # fmt: skip
        granted = self._options(
            options.get("name") or process.__name__, options.get("budget", DEFAULT_BUDGET),
            options.get("idempotent", False), options.get("fallback"), options.get("retry"),
        )  # fmt: skip
        return process, granted

    def _drive(self, bound: Tool, options: CallOptions, arguments: Any, crossing: Crossing | None = None) -> Envelope:
        with self._tool_span(once(options, crossing), arguments) as (span, course):
            if crossing is not None:
                try:
                    bound = crossing.cross()
                except ToolRejected as refusal:
                    return span.close_call(course.refuse(refusal))
                course.begin_now()
            ending = None
            while (planned := course.next_try()) is not None:
                time.sleep(planned.pause_s)
                ending = invoke(bound, planned.limit_s)
                span.settle_try(course, ending)
            tell(crossing, ending)
            return span.close_call(course.envelope())

    async def _adrive(
        self, bound: Tool, options: CallOptions, arguments: Any, crossing: Crossing | None = None
    ) -> Envelope:
        with self._tool_span(once(options, crossing), arguments) as (span, course):
            if crossing is not None:
                try:
                    bound = await crossing.across()
                except ToolRejected as refusal:
                    return span.close_call(course.refuse(refusal))
                course.begin_now()
            ending = None
            while (planned := course.next_try()) is not None:
                await asyncio.sleep(planned.pause_s)
                ending = await ainvoke(bound, planned.limit_s)
                span.settle_try(course, ending)
            await asyncio.to_thread(tell, crossing, ending)
            return span.close_call(course.envelope())


def crossing_of(tool: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Crossing | None:
    """The approval boundary of a call, where the tool has one (`agentconsole.sdk.guard`)."""
    make = getattr(tool, "crossing", None)
    return make(args, kwargs) if make is not None else None


def once(options: CallOptions, crossing: Crossing | None) -> CallOptions:
    """An approved call is made once, whatever its outcome says of another try."""
    return options if crossing is None else replace(options, retry=NO_RETRY, idempotent=False)


def tell(crossing: Crossing | None, ending: Ending | None) -> None:
    """Report what became of a call that was allowed."""
    if crossing is not None:
        if ending is None:
            crossing.never_ran("its circuit is open, or its run's deadline has passed")
        else:
            crossing.report(ending)
