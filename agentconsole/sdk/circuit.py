"""The circuit breaker of one tool: after failures in a row, calls stop for a while, then one probes."""

import threading
import time
from collections.abc import Callable
from enum import StrEnum


class Turn(StrEnum):
    """What a recorded try did to the circuit."""

    NONE = "none"
    OPENED = "opened"
    CLOSED = "closed"


class Circuit:
    """Closed, it lets every try through; after `threshold` failures in a row it is open for `cooldown_s`; then it is
    half open: one try at a time goes through, and its end closes the circuit or opens it again."""

    def __init__(
        self, *, threshold: int = 5, cooldown_s: float = 30.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._threshold = threshold
        self._cooldown_s = cooldown_s
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._opened_at: float | None = None
        self._is_probing = False

    def admit(self) -> float | None:
        """None where a try may go ahead (it must then be recorded or released), else seconds until the next probe."""
        with self._lock:
            if self._opened_at is None:
                return None
            left_s = self._opened_at + self._cooldown_s - self._clock()
            if left_s > 0 or self._is_probing:
                return max(left_s, 0.0)
            self._is_probing = True
            return None

    def record(self, *, is_healthy: bool) -> Turn:
        """Take note of how an admitted try ended."""
        with self._lock:
            self._is_probing = False
            was_open = self._opened_at is not None
            if is_healthy:
                self._failures, self._opened_at = 0, None
                return Turn.CLOSED if was_open else Turn.NONE
            self._failures += 1
            if self._failures < self._threshold:
                return Turn.NONE
            self._opened_at = self._clock()
            return Turn.NONE if was_open else Turn.OPENED

    def release(self) -> None:
        """An admitted try ended without saying anything about the service: it was cancelled."""
        with self._lock:
            self._is_probing = False


class Circuits:
    """The circuits of a console's tools, by tool name."""

    def __init__(self, make: Callable[[], Circuit] = Circuit) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._by_tool: dict[str, Circuit] = {}

    def of(self, tool: str) -> Circuit:
        """The circuit of this tool."""
        with self._lock:
            circuit = self._by_tool.get(tool)
            if circuit is None:
                circuit = self._by_tool[tool] = self._make()
            return circuit
