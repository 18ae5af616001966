"""What an agent needs to work: parts that it declares, and proves again and again."""

import asyncio
import inspect
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import structlog

from agentconsole.protocol.beats import COMPONENT_NAME_CHARS
from agentconsole.sdk.payload import DETAIL_BYTES, prepare_text

log = structlog.get_logger(__name__)

Check = Callable[[], Any] | Callable[[], Awaitable[Any]]
DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Known:
    """The last proof of a component by the monotonic clock, and what went wrong since."""

    proven_at: float | None = None
    detail: str = ""
    failure: str = ""


class Component:
    """A part of an agent. `beat` and `failed` neither wait nor raise, in any thread and in any event loop.

    What is known is one reference, replaced whole: no lock, so a signal handler and a fork's child may use it too.
    """

    def __init__(
        self, name: str, *, critical: bool, lease_s: float, stir: Callable[[], None], check: Check | None = None,
        every_s: float | None = None, timeout_s: float = 5.0,
    ) -> None:  # fmt: skip
        if not 0 < len(name) <= COMPONENT_NAME_CHARS or not name.isprintable():
            raise ValueError(f"a component's name is 1 to {COMPONENT_NAME_CHARS} visible characters, got {name[:80]!r}")
        if not 0 < lease_s <= DAY_S:
            raise ValueError(f"a component needs 0 < lease_s <= {DAY_S}, got {lease_s}")
        every_s = lease_s / 3 if every_s is None else every_s
        if not (0 < every_s < lease_s and timeout_s > 0):
            raise ValueError(
                "a check needs timeout_s > 0 and 0 < every_s < lease_s, or its proof runs out between two checks"
            )
        self.name = name
        self.is_critical = critical
        self.lease_s = lease_s
        self.check = check
        self._every_s = every_s
        self._timeout_s = timeout_s
        self._stir = stir
        self._known = Known()
        self._check_began_at: float | None = None
        self._is_stopped = threading.Event()

    def beat(self, detail: str = "") -> None:
        """It worked just now; `detail` says more to people (`connected as U123`)."""
        self._put(Known(time.monotonic(), detail))

    def failed(self, reason: str) -> None:
        """It does not work; `reason` is for people. The next `beat` ends it."""
        self._put(Known(self._known.proven_at, self._known.detail, reason or "failed"))

    def told(self) -> dict[str, Any]:
        """How it stands, as a beat tells it. A check that has taken longer than its timeout is a failure while it hangs."""
        known, now = self._known, time.monotonic()
        failure = prepare_text(known.failure, DETAIL_BYTES)
        return {
            "name": self.name,
            "critical": self.is_critical,
            "lease_s": self.lease_s,
            "age_s": None if known.proven_at is None else round(now - known.proven_at, 3),
            "detail": prepare_text(known.detail, DETAIL_BYTES),
            "failure": f"no answer within {self._timeout_s:g} s" if self._hangs_at(now) else failure,
        }

    def hangs_in_s(self) -> float | None:
        """Seconds until the check that is under way has taken too long; None where there is none, or it has."""
        began_at, now = self._check_began_at, time.monotonic()
        return None if began_at is None or self._hangs_at(now) else began_at + self._timeout_s - now

    def start(self) -> None:
        """Begin to check, in a thread of its own: a check that hangs keeps no other one waiting."""
        if self.check is not None:
            threading.Thread(target=self._keep_checking, name=f"agentconsole-check {self.name}", daemon=True).start()

    def stop(self) -> None:
        """Check no more."""
        self._is_stopped.set()

    def _hangs_at(self, now: float) -> bool:
        return self._check_began_at is not None and now - self._check_began_at > self._timeout_s

    def _put(self, known: Known) -> None:
        before, self._known = self._known, known
        if before.proven_at is None or bool(before.failure) != bool(known.failure):
            self._stir()

    def _keep_checking(self) -> None:
        while not self._is_stopped.is_set():
            self._check_began_at = time.monotonic()
            self._stir()
            try:
                said = self._ask()
            except Exception as error:  # noqa: BLE001 -- whatever a check raises is its finding
                self._check_began_at = None
                self.failed(f"{type(error).__name__}: {error}".removesuffix(": "))
            else:
                self._check_began_at = None
                if said is False:
                    self.failed("its check said no")
                else:
                    self.beat(said if isinstance(said, str) else "")
            self._is_stopped.wait(self._every_s)

    def _ask(self) -> Any:
        assert self.check is not None
        said = self.check()
        return asyncio.run(_wait_for(said)) if inspect.isawaitable(said) else said


async def _wait_for(said: Awaitable[Any]) -> Any:
    return await said
