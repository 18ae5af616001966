"""The signs of life of this process, with its components, from one thread."""

import os
import queue
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

import structlog

from agentconsole.protocol.beats import BEATS_A_LEASE, MAX_COMPONENTS
from agentconsole.sdk import items
from agentconsole.sdk.components import Component

log = structlog.get_logger(__name__)

# However often components change, the console hears of it no more often than this.
SPACING_S = 0.25


class Vitals:
    """Beats every `beat_s`, and at once when a component turns. Silent until something is declared.

    A signal handler may end the process between any two instructions: hence the reentrant lock, and SimpleQueue.
    """

    def __init__(
        self,
        record: Callable[..., None],
        runs_since: Callable[[], int],
        is_cut_off: Callable[[], bool],
        *,
        beat_s: float,
    ) -> None:
        self.beat_s = beat_s
        self.components: dict[str, Component] = {}
        self._record = record
        self._runs_since = runs_since
        self._is_cut_off = is_cut_off
        self._lock = threading.RLock()
        self._wakes: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._boot = str(uuid.uuid4())
        self._number = 0
        self._pid = os.getpid()
        self._thread: threading.Thread | None = None
        self._is_stopped = False

    def declare(self, component: Component, *, is_on: bool) -> None:
        """Take a component in. ValueError for a name that is taken, and for one too many."""
        with self._lock:
            if component.name in self.components:
                raise ValueError(f"the component {component.name!r} was declared before")
            if len(self.components) >= MAX_COMPONENTS:
                raise ValueError(f"an instance declares at most {MAX_COMPONENTS} components")
            self.components[component.name] = component
        if is_on and not self._is_stopped:
            self.start()
            component.start()
            self.stir()

    def start(self) -> None:
        """Begin to beat."""
        with self._lock:
            if self._thread is None and not self._is_stopped:
                self._thread = threading.Thread(target=self._loop, name="agentconsole-vitals", daemon=True)
                self._thread.start()

    def stir(self) -> None:
        """Something has changed: beat soon."""
        self._wakes.put(None)

    def stop(self) -> None:
        """Say goodbye: this process ends on purpose. Once, and not in a fork's child, for the parent lives on."""
        with self._lock:
            if self._is_stopped:
                return
            if self._thread is not None and os.getpid() == self._pid:
                self._tell(ended=True)
            self._is_stopped = True
        for component in self.components.values():
            component.stop()
        self.stir()

    def _loop(self) -> None:
        told: list[tuple[Any, ...]] = []
        due_at = 0.0
        while not self._is_stopped:
            try:
                now = time.monotonic()
                turned = self._turned()
                if now >= due_at or turned != told:
                    self._beat()
                    told, due_at = turned, now + self.beat_s
                    time.sleep(SPACING_S)
                self._wait(due_at - time.monotonic())
            except Exception:
                log.exception("SDK_FAULT", where="vitals")
                time.sleep(self.beat_s)

    def _turned(self) -> list[tuple[Any, ...]]:
        """What of the components is worth a beat of its own: declared, proven for the first time, failing, or well again."""
        told = [component.told() for component in list(self.components.values())]
        return [(one["name"], one["age_s"] is None, bool(one["failure"])) for one in told]

    def _beat(self) -> None:
        """Unless the console is away and something waits for it already: an outage is no reason to keep what only counts fresh."""
        with self._lock:
            if not self._is_stopped and not self._is_cut_off():
                self._tell()

    def _tell(self, *, ended: bool = False) -> None:
        self._number += 1
        self._record(
            items.agent_beat, boot=self._boot, number=self._number, lease_s=self.beat_s * BEATS_A_LEASE,
            runs=self._runs_since(), components=[one.told() for one in self.components.values()], ended=ended,
        )  # fmt: skip

    def _wait(self, until_due_s: float) -> None:
        hangs = (component.hangs_in_s() for component in list(self.components.values()))
        timeout_s = min([until_due_s, *(hang_s for hang_s in hangs if hang_s is not None)])
        try:
            self._wakes.get(timeout=max(timeout_s + 0.001, 0.001))
            while True:
                self._wakes.get_nowait()
        except queue.Empty:
            return
