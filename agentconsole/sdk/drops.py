"""The account of what could not be kept or delivered. Nothing is lost in silence."""

import json
import threading
from collections import Counter

import structlog

log = structlog.get_logger(__name__)


class Drops:
    """Counts lost items by run and by reason until they can be told to the console."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._by_run: Counter[tuple[str, str]] = Counter()
        self.total = 0

    def add(self, items: list[bytes], reason: str) -> None:
        """These items are lost. The first of an episode is logged at once, the rest when the episode is told."""
        if not items:
            return
        with self._lock:
            is_first = not self._by_run
            self._by_run.update((run_of(item), reason) for item in items)
            self.total += len(items)
        if is_first:
            log.error("SDK_ITEMS_DROPPED", items=len(items), reason=reason)

    def take(self) -> list[tuple[str, str, int]]:
        """(run id, reason, number of items) of all that was lost since the last call; a run id may be empty."""
        with self._lock:
            taken = [(run_id, reason, count) for (run_id, reason), count in self._by_run.items()]
            self._by_run.clear()
        if taken:
            log.error("SDK_ITEMS_DROPPED", items=sum(count for *_, count in taken), runs=len(taken))
        return taken


def run_of(item: bytes) -> str:
    """The id of the run that an encoded item belongs to, or empty."""
    try:
        fields = json.loads(item)
    except ValueError:
        return ""
    if not isinstance(fields, dict):
        return ""
    run_id = fields.get("id" if str(fields.get("type", "")).startswith("run.") else "run", "")
    return run_id if isinstance(run_id, str) else ""
