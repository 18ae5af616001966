"""Signs of life of the runs of this process, from one thread."""

import threading
import time
import weakref
from typing import Protocol

import structlog

log = structlog.get_logger(__name__)


class Beating(Protocol):
    """What the thread needs of a run."""

    heartbeat_s: float

    def beat(self) -> None:
        """Say that the run is still going."""


class Heartbeat:
    """Beats for each run every `heartbeat_s`. It holds runs weakly: one that its owner lost is not kept alive."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._due: weakref.WeakKeyDictionary[Beating, float] = weakref.WeakKeyDictionary()
        self._changed = threading.Event()
        self._thread: threading.Thread | None = None
        self._begun = 0

    def add(self, run: Beating) -> None:
        """Begin to beat for a run."""
        with self._lock:
            self._due[run] = time.monotonic() + run.heartbeat_s
            self._begun += 1
            if self._thread is None:
                self._thread = threading.Thread(target=self._loop, name="agentconsole-heartbeat", daemon=True)
                self._thread.start()
        self._changed.set()

    def remove(self, run: Beating) -> None:
        """Stop beating for a run."""
        with self._lock:
            self._due.pop(run, None)

    def runs(self) -> list[Beating]:
        """The runs that are going on."""
        with self._lock:
            return list(self._due)

    def take_count(self) -> int:
        """How many runs are going on, or began since this was last asked, whichever are more: short ones are not missed."""
        with self._lock:
            begun, self._begun = self._begun, 0
            return max(len(self._due), begun)

    def _loop(self) -> None:
        while True:
            self._changed.wait(self._beat_due())
            self._changed.clear()

    def _beat_due(self) -> float | None:
        """Beat for the runs that are due; seconds until the next one is, or None where there is none."""
        now = time.monotonic()
        with self._lock:
            due = [run for run, at in self._due.items() if at <= now]
            for run in due:
                self._due[run] = now + run.heartbeat_s
            next_at = min(self._due.values(), default=None)
        for run in due:
            run.beat()
        return None if next_at is None else max(next_at - time.monotonic(), 0.0)
