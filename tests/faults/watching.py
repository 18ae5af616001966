"""Looks at the probes as an orchestrator does, several times a second, and remembers what it saw and when."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import httpx

EVERY_S = 0.2
# An orchestrator's patience with a probe.
TIMEOUT_S = 2.0
NO_ANSWER = "no answer"


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at one web process found: status of `ready` (0: no answer), what it names, status of `live`, and when the
    oldest evidence of all that is critical is from. Times are of the monotonic clock."""

    url: str
    at: float
    ready: int
    named: frozenset[str]
    live: int
    proven_at: float = 0.0

    @property
    def is_ready(self) -> bool:
        """Whether a load balancer would send requests there."""
        return self.ready == httpx.codes.OK


def look_at(url: str) -> Look:
    """One look."""
    live = 0
    try:
        live = httpx.get(f"{url}/health/live", timeout=TIMEOUT_S).status_code
        answer = httpx.get(f"{url}/health/ready", timeout=TIMEOUT_S)
        found = answer.json()
    except (httpx.TransportError, ValueError):
        return Look(url, time.monotonic(), 0, frozenset({NO_ANSWER}), live)
    named = {name for name, part in found["components"].items() if part["critical"] and part["status"] != "ok"}
    if found["status"] == "draining":
        named.add("draining")
    at = time.monotonic()
    return Look(url, at, answer.status_code, frozenset(named), live, at - _age_s(found["components"]))


def _age_s(components: Mapping[str, Any]) -> float:
    """How old the oldest evidence is, by this machine's clock."""
    told = [part["checked_at"] for part in components.values() if part["critical"]]
    if not all(told):
        return time.monotonic()
    age_s = time.time() - min(datetime.fromisoformat(at).timestamp() for at in told)
    # Evidence from a clock that is ahead is no younger than the look at it.
    return max(0.0, age_s)


class Watching:
    """Watches web processes by their URLs. `with` starts and ends it."""

    def __init__(self, urls: Sequence[str]) -> None:
        self.urls = urls
        self._looks: list[Look] = []
        self._is_over = threading.Event()
        self._new = threading.Condition()
        self._threads = [threading.Thread(target=self._watch, args=(url,), daemon=True) for url in urls]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def _watch(self, url: str) -> None:
        while not self._is_over.wait(EVERY_S):
            found = look_at(url)
            with self._new:
                self._looks.append(found)
                self._new.notify_all()

    def since(self, at: float) -> list[Look]:
        """What was seen from then on."""
        return [look for look in self._looks if look.at >= at]

    def wait_until(self, is_so: Callable[[], bool], within_s: float) -> bool:
        """Whether it came to be so within that time."""
        with self._new:
            return self._new.wait_for(is_so, within_s)
