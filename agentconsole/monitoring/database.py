"""What only the database knows, read when Prometheus asks, and never more often than every few seconds."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as LateError
from datetime import datetime
from threading import Lock

from django.db import connections
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily, Metric

from agentconsole.faults import fault_words
from agentconsole.logconf import get_logger
from agentconsole.models import ComponentBeat
from approvals.queries import standing
from approvals.queries.standing import Heap
from runs.queries.partitions import unpartitioned_rows
from runs.queries.standing import live_runs

log = get_logger(__name__)

FRESH_S = 5.0
WITHIN_S = 2.0
BEATS = ("worker", "beat")


def read_facts() -> list[Metric]:
    """Every gauge that is a fact of the database. Eight queries (three more on PostgreSQL), each by an index, on a thread's own connection."""
    now = timezone.now()
    runs = live_runs()
    pending, oldest = _heap_of("pending_actions", "Actions that wait for a decision.", "environment")
    waiting = standing.pending_actions()
    for environment in sorted({name for name, _status in runs}):
        _add(pending, oldest, waiting.get(environment, Heap(0, None)), now, environment)
    live = GaugeMetricFamily("agentconsole_runs", "Live runs.", labels=["environment", "status"])
    for (environment, status), count in runs.items():
        live.add_metric([environment, status], count)
    beats = GaugeMetricFamily("agentconsole_beat_age_seconds", "Since a component's beat.", labels=["component"])
    for component, beat_at in ComponentBeat.objects.filter(component__in=BEATS).values_list("component", "beat_at"):
        beats.add_metric([component], _age_s(now, beat_at))
    head = GaugeMetricFamily("agentconsole_audit_head", "Number of the audit chain's last entry.")
    head.add_metric([], standing.audit_head_seq())
    unpartitioned = GaugeMetricFamily(
        "agentconsole_unpartitioned_rows", "Rows of the log in no month's partition, up to 1000.", labels=["table"]
    )
    for table, rows in unpartitioned_rows().items():
        unpartitioned.add_metric([table], rows)
    return [
        *(pending, oldest, live, beats, head, unpartitioned),
        *_heap("webhook_outbox", "Notifications on their way.", standing.outbox(), now),
        *_heap("unreported_claims", "Actions started and not reported on.", standing.unreported_claims(), now),
        *_heap("unknown_outcomes", "Unknown outcomes nobody looked into.", standing.unknown_outcomes(), now),
    ]


def _heap(name: str, about: str, heap: Heap, now: datetime) -> tuple[Metric, Metric]:
    depth, oldest = _heap_of(name, about)
    _add(depth, oldest, heap, now)
    return depth, oldest


def _heap_of(name: str, about: str, *labels: str) -> tuple[GaugeMetricFamily, GaugeMetricFamily]:
    depth = GaugeMetricFamily(f"agentconsole_{name}", about, labels=labels)
    oldest_name, oldest_about = f"agentconsole_{name}_oldest_age_seconds", f"{about} Age of the oldest."
    return depth, GaugeMetricFamily(oldest_name, oldest_about, labels=labels)


def _add(depth: GaugeMetricFamily, oldest: GaugeMetricFamily, heap: Heap, now: datetime, *labels: str) -> None:
    depth.add_metric(labels, heap.depth)
    oldest.add_metric(labels, _age_s(now, heap.oldest_at or now))


def _age_s(now: datetime, at: datetime) -> float:
    return max(0.0, (now - at).total_seconds())


class DatabaseCollector:
    """Reads the facts in a thread of its own: one reading at a time, kept for FRESH_S, waited for WITHIN_S at most.

    What can't be read is left out, not told stale, and `agentconsole_collect_failed` is 1.
    """

    def __init__(
        self, read: Callable[[], list[Metric]] = read_facts, *, fresh_s: float = FRESH_S, within_s: float = WITHIN_S
    ) -> None:
        self.read = read
        self.fresh_s = fresh_s
        self.within_s = within_s
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="metrics database")
        self._lock = Lock()
        self._reading: Future[list[Metric]] | None = None
        self._read_at = 0.0

    def collect(self) -> Iterator[Metric]:
        """The facts, and whether they could be read."""
        try:
            facts = self._latest().result(self.within_s)
        except LateError:
            facts, failed = [], f"no answer within {self.within_s:g} s"
        except Exception as error:  # noqa: BLE001  a scrape tells what it can, whatever broke
            facts, failed = [], fault_words(error)
        else:
            failed = ""
        if failed:
            log.warning("METRICS_INCOMPLETE", detail=failed)
        yield GaugeMetricFamily(
            "agentconsole_collect_failed",
            "Whether the database could not be read for these metrics.",
            float(bool(failed)),
        )
        yield from facts

    def _latest(self) -> "Future[list[Metric]]":
        """The reading under way, or the last one while it is fresh (failed ones too: a broken database is left in peace)."""
        with self._lock:
            reading = self._reading
            if reading is None or (reading.done() and time.monotonic() - self._read_at >= self.fresh_s):
                reading = self._reading = self._thread.submit(self._read)
            return reading

    def _read(self) -> list[Metric]:
        try:
            return self.read()
        finally:
            self._read_at = time.monotonic()
            connections.close_all()
