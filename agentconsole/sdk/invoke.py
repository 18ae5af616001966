"""One try of a tool, ended at its hard budget by whatever means the tool allows."""

import asyncio
import contextvars
import inspect
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

STOP_GRACE_S = 1.0


@dataclass(frozen=True, slots=True)
class Ending:
    """How a try ended: with a value, with an error, or `expired` at its limit. `is_still_working` is set where the tool
    would not stop and was left behind; it tells whether it is still there."""

    value: Any = None
    error: Exception | None = None
    expired: bool = False
    is_still_working: Callable[[], bool] | None = None


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool with its arguments bound. `stop`, where it has one, ends a call that is going on, from another thread."""

    run: Callable[[], Any]
    is_async: bool
    stop: Callable[[], None] | None = None

    @classmethod
    def bind(cls, tool: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> "Tool":
        """The call `tool(*args, **kwargs)`, not made yet."""
        is_async = inspect.iscoroutinefunction(tool) or inspect.iscoroutinefunction(type(tool).__call__)
        stop = getattr(tool, "stop", None)
        return cls(lambda: tool(*args, **kwargs), is_async, stop if callable(stop) else None)


def invoke(tool: Tool, limit_s: float) -> Ending:
    """Try a synchronous tool in a thread of its own. What only a thread's end could undo (KeyboardInterrupt in the
    caller, SystemExit in the tool) passes through."""
    done = threading.Event()
    work = _Work(tool, done.set)
    try:
        is_done = done.wait(limit_s)
    except BaseException:
        work.stop()
        raise
    if not is_done:
        if not (work.stop() and done.wait(STOP_GRACE_S)):
            return Ending(expired=True, is_still_working=work.is_alive)
        return Ending(expired=True)
    return work.ending()


async def ainvoke(tool: Tool, limit_s: float) -> Ending:
    """Try a tool from a running loop: a coroutine is cancelled at its limit, a plain function runs in a thread."""
    if tool.is_async:
        return await _await_within(tool.run(), limit_s)
    loop = asyncio.get_running_loop()
    done = asyncio.Event()
    work = _Work(tool, lambda: _wake(loop, done))
    waiting = asyncio.ensure_future(done.wait())
    try:
        await asyncio.wait({waiting}, timeout=limit_s)
        if done.is_set():
            ending = work.ending()
            return await _await_within(ending.value, limit_s) if inspect.isawaitable(ending.value) else ending
        if work.stop():
            await asyncio.wait({waiting}, timeout=STOP_GRACE_S)
        return Ending(expired=True, is_still_working=None if done.is_set() else work.is_alive)
    except asyncio.CancelledError:
        work.stop()
        raise
    finally:
        waiting.cancel()


class _Work:
    """A plain function at work in a daemon thread, under the caller's context."""

    def __init__(self, tool: Tool, notify: Callable[[], None]) -> None:
        self._tool = tool
        self._notify = notify
        self._value: Any = None
        self._error: BaseException | None = None
        context = contextvars.copy_context()
        self._thread = threading.Thread(target=context.run, args=(self._run,), name="agentconsole-tool", daemon=True)
        self._thread.start()
        self.is_alive = self._thread.is_alive

    def _run(self) -> None:
        try:
            self._value = self._tool.run()
        except BaseException as error:  # noqa: BLE001 -- handed to the caller's thread, whatever it is
            self._error = error
        self._notify()

    def stop(self) -> bool:
        """Whether the tool could be told to stop."""
        if self._tool.stop is None:
            return False
        self._tool.stop()
        return True

    def ending(self) -> Ending:
        if self._error is None:
            return Ending(value=self._value)
        if isinstance(self._error, Exception):
            return Ending(error=self._error)
        raise self._error


def _wake(loop: asyncio.AbstractEventLoop, done: asyncio.Event) -> None:
    try:
        loop.call_soon_threadsafe(done.set)
    except RuntimeError:
        return  # the loop has closed since: nobody waits for this answer any more


async def _await_within(awaitable: Awaitable[Any], limit_s: float) -> Ending:
    task = asyncio.ensure_future(awaitable)
    try:
        await asyncio.wait({task}, timeout=limit_s)
        if not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=STOP_GRACE_S)
            task.add_done_callback(_forget)
            return Ending(expired=True, is_still_working=None if task.done() else lambda: not task.done())
    except asyncio.CancelledError:
        task.cancel()
        task.add_done_callback(_forget)
        await asyncio.wait({task}, timeout=STOP_GRACE_S)
        raise
    if task.cancelled():
        return Ending(error=RuntimeError("the tool cancelled itself"))
    error = task.exception()
    if error is None:
        return Ending(value=task.result())
    if isinstance(error, Exception):
        return Ending(error=error)
    raise error


def _forget(task: asyncio.Future[Any]) -> None:
    """Read the end of a task that nobody waits for, so that asyncio doesn't complain about it."""
    if not task.cancelled():
        task.exception()
