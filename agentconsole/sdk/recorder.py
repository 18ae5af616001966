"""The one place where telemetry meets the agent: nothing that goes wrong behind it reaches the agent."""

import json
from collections.abc import Callable
from typing import Any, ParamSpec, Protocol

import structlog

log = structlog.get_logger(__name__)
P = ParamSpec("P")


class Sink(Protocol):
    """Where encoded items go."""

    def put(self, item: bytes) -> None:
        """Take an item without blocking."""


class Recorder:
    """Builds and hands over items; without a sink it does nothing, so building costs nothing either."""

    def __init__(self, sink: Sink | None) -> None:
        self._sink = sink

    @property
    def is_on(self) -> bool:
        """Whether items go anywhere."""
        return self._sink is not None

    def record(self, build: Callable[P, dict[str, Any]], *args: P.args, **kwargs: P.kwargs) -> None:
        """Hand over the item that `build` makes."""
        if self._sink is None:
            return
        try:
            item = json.dumps(build(*args, **kwargs), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
            self._sink.put(item.encode())
        except Exception:
            log.exception("SDK_FAULT", where=getattr(build, "__name__", ""))
