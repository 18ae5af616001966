"""What evidence is: a component, the check that proves it, and the proof that the check gives."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from inspect import iscoroutinefunction


class NotProvenError(Exception):
    """What a check found wrong, in words for the person who will read them at night."""


@dataclass(frozen=True, slots=True)
class Proof:
    """Evidence that a component worked at `at`."""

    at: datetime
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Component:
    """A part, how long its proof counts, and the check that renews it: a plain function (run in a thread) or a coroutine."""

    name: str
    title: str
    lease_s: int
    check: Callable[[], Proof] | Callable[[], Awaitable[Proof]]
    is_critical: bool = True

    @property
    def is_async(self) -> bool:
        """Whether the check is a coroutine function."""
        return iscoroutinefunction(self.check)
