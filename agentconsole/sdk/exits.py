"""The ends of a process: its exit, SIGTERM, and a fork's child."""

import atexit
import multiprocessing.util
import os
import signal
import threading
import time
import weakref
from types import FrameType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agentconsole.sdk.console import Console

# An exit this soon after a SIGTERM that could not deliver belongs to it.
SOON_S = 10

_consoles: "weakref.WeakSet[Console]" = weakref.WeakSet()
_previous: Any = None
# Until when what SIGTERM began may go on; an exit that follows does not begin anew.
_until = 0.0


def register(console: "Console") -> None:
    """Flush this console when the process ends."""
    _consoles.add(console)
    _take_sigterm()


def unregister(console: "Console") -> None:
    """The console was closed; after the last one, SIGTERM is again whose it was."""
    _consoles.discard(console)
    if not _consoles:
        _give_sigterm_back()


def _take_sigterm() -> None:
    """Only the main thread may set a handler; one that ignores SIGTERM, or was not set from Python, is left alone."""
    global _previous  # noqa: PLW0603 -- the process has one SIGTERM
    current = signal.getsignal(signal.SIGTERM)
    if threading.current_thread() is not threading.main_thread() or current is _on_sigterm:
        return
    if current is signal.SIG_DFL or callable(current):
        _previous = current
        signal.signal(signal.SIGTERM, _on_sigterm)


def _give_sigterm_back() -> None:
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is _on_sigterm:
        signal.signal(signal.SIGTERM, _previous)


def _on_sigterm(number: int, frame: FrameType | None) -> None:
    """Flush, then do what SIGTERM would have done without us."""
    if callable(_previous):
        _flush_all()
        _previous(number, frame)
        return
    _close_all("the process got SIGTERM")
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGTERM)


def _flush_all() -> None:
    """What can't be delivered now has had its time: the process will most likely end at once."""
    global _until  # noqa: PLW0603 -- as above
    begun = time.monotonic()
    for console in list(_consoles):
        if not console.flush(console.exit_deadline_s):
            _until = begun + console.exit_deadline_s


def _close_all(reason: str) -> None:
    is_late = 0 < time.monotonic() - _until < SOON_S
    for console in list(_consoles):
        console.cancel_runs(reason)
        console.close(0 if is_late else None)


def _at_exit() -> None:
    _close_all("the process ended")


def _after_fork_in_child() -> None:
    for console in list(_consoles):
        console.after_fork()


def _end_with_the_child(_registered: object) -> None:
    """A child of multiprocessing ends without atexit, but runs its own finalizers."""
    multiprocessing.util.Finalize(None, _at_exit, exitpriority=0)


atexit.register(_at_exit)
multiprocessing.util.register_after_fork(_at_exit, _end_with_the_child)
os.register_at_fork(after_in_child=_after_fork_in_child)
