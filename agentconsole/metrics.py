"""What each process counts of itself, for Prometheus: all metrics, their units, their labels (docs/operations.md, "Metrics").

Labels are bounded, since each combination is a series for ever: routes, not paths; tools' names up to a cap; never an id, a
person or a payload. Facts of the database are not here: `agentconsole.monitoring` reads them when it is scraped.
"""

import os
import re
import time
from collections import Counter as Tally
from contextlib import suppress
from pathlib import Path

# First: it makes PROMETHEUS_MULTIPROC_DIR sane, which the library reads once, when it is imported.
from django.conf import settings

FILES = settings.PROMETHEUS_MULTIPROC_DIR
if FILES:
    Path(FILES).mkdir(parents=True, exist_ok=True)

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics  # noqa: E402
from prometheus_client.multiprocess import mark_process_dead  # noqa: E402

# When a series began: twice the series, and files of several processes can't tell it.
disable_created_metrics()  # type: ignore[no-untyped-call]

TOOLS_MAX = 200
OTHER = "other"
_QUICK = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_PATIENT = (1, 10, 30, 60, 300, 900, 1800, 3600, 14400, 86400)

DECLARED = CollectorRegistry()


def _counter(name: str, about: str, *labels: str) -> Counter:
    return Counter(f"agentconsole_{name}", about, labels, registry=DECLARED)


def _histogram(name: str, about: str, *labels: str, buckets: tuple[float, ...] = _QUICK) -> Histogram:
    return Histogram(f"agentconsole_{name}", about, labels, buckets=buckets, registry=DECLARED)


def _gauge(name: str, about: str) -> Gauge:
    return Gauge(f"agentconsole_{name}", about, registry=DECLARED, multiprocess_mode="livesum")


_REQUESTS = _counter("http_requests_total", "Requests answered, by URL pattern.", "method", "route", "status")
_REQUEST_SECONDS = _histogram("http_request_duration_seconds", "From a request's arrival to its answer.", "route")

_INGEST_ITEMS = _counter("ingest_items_total", "Items of batches that were read.", "environment", "result")
INGEST_SECONDS = _histogram("ingest_batch_duration_seconds", "From a batch's items to committed rows.")
INGEST_BYTES = _counter("ingest_received_bytes_total", "Bodies of ingest requests, as sent.")
INGEST_REFUSED = _counter("ingest_refused_total", "Batches of which nothing was stored.", "code")
_TOOL_CALLS = _counter(
    "tool_calls_total", "Tool calls that agents reported as ended.", "environment", "tool", "outcome"
)

LIVE_SOCKETS = _gauge("live_sockets", "Browsers' sockets that are open.")
LIVE_POLLS = _gauge("approval_polls", "Agents' long polls that wait for a decision.")
LIVE_DROPPED = _counter("live_sockets_dropped_total", "Sockets closed since their browser acknowledged nothing.")
LIVE_LAG = _histogram("live_lag_seconds", "From a commit to its frame handed to the sockets.", "topic")
HINTS_SENT = _counter("live_hints_sent_total", "Hints handed to the channel layer.")
HINTS_LOST = _counter("live_hints_lost_total", "Hints that the channel layer did not take.")
HINTS_HEALED = _counter("live_hints_healed_total", "Frames of news that no hint told of and the poll found.")

AUDIT_ENTRIES = _counter("audit_entries_total", "Steps written to the audit chain.", "token")
_APPROVAL_WAIT = _histogram(
    "approval_wait_seconds", "From an action's question to its end.", "environment", "status", "by", buckets=_PATIENT
)
APPROVALS_REFUSED = _counter("approvals_refused_total", "Votes, claims and reports refused.", "token", "code")
APPROVAL_OUTCOMES = _counter("approval_outcomes_total", "Outcomes of claimed actions.", "environment", "outcome")
WEBHOOK_ATTEMPTS = _counter(
    "webhook_attempts_total", "Attempts to deliver a notification, by what came of it.", "result"
)

_TASKS = _counter("tasks_total", "Tasks that a worker ended, by outcome: ok, failed, retried.", "task", "outcome")
_TASK_SECONDS = _histogram("task_duration_seconds", "How long tasks ran.", "task")
TASK_WAIT = _histogram("task_wait_seconds", "From a task's sending to its start.", "task")
TASKS_NOT_SENT = _counter("task_enqueue_failures_total", "Tasks that the broker did not take.", "task")
SWEPT = _counter("swept_total", "What sweeps changed: runs, actions, notifications.", "sweep")

for _unlabelled in (HINTS_SENT, HINTS_LOST, HINTS_HEALED, LIVE_DROPPED):
    _unlabelled.inc(0)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def observe_request(*, method: str, route: str, status: int, seconds: float | None = None) -> None:
    """A request was answered; without `seconds` it was refused before it had arrived, or waited because it was to."""
    _REQUESTS.labels(method if method in _METHODS else OTHER, route, str(status)).inc()
    if seconds is not None:
        _REQUEST_SECONDS.labels(route).observe(seconds)


def count_batch(environment: str, results: dict[str, int], tools: Tally[tuple[str, str]]) -> None:
    """A batch is stored: items by result, and the tool calls that it ended by (tool, outcome)."""
    for result, items in results.items():
        _INGEST_ITEMS.labels(environment, result).inc(items)
    for (tool, outcome), calls in tools.items():
        _TOOL_CALLS.labels(environment, _tools.label_of(tool), outcome).inc(calls)


def observe_lag(topic: str, committed_at: float) -> None:
    """News of a topic's kind were handed to the sockets; `committed_at` is in seconds since the epoch, by the writer's clock."""
    LIVE_LAG.labels(topic).observe(max(0.0, time.time() - committed_at))


def observe_approval(*, environment: str, status: str, decided_by: str, seconds: float) -> None:
    """An action ended. Of who decided only the kind is kept: person, policy, agent or console."""
    _APPROVAL_WAIT.labels(environment, status, decided_by.partition(":")[0]).observe(seconds)


def observe_task(task: str, outcome: str, seconds: float) -> None:
    """A worker is done with a task."""
    _TASKS.labels(task, outcome).inc()
    _TASK_SECONDS.labels(task).observe(seconds)


class Names:
    """The first `most` names that this process meets; the others are one, and so are those that carry an id."""

    _WITH_ID = re.compile(r"[0-9]{4}|(?=[a-fA-F]*[0-9])[0-9a-fA-F]{8}|[^\w.:/ -]")

    def __init__(self, most: int) -> None:
        self.most = most
        self._known: set[str] = set()

    def label_of(self, name: str) -> str:
        """The name, or `other`."""
        if name not in self._known:
            if len(self._known) >= self.most or len(name) > 64 or self._WITH_ID.search(name):  # noqa: PLR2004
                return OTHER
            self._known.add(name)
        return name


_tools = Names(TOOLS_MAX)


def begin_process() -> None:
    """A web process starts: what it and those that are gone had open is open no more."""
    LIVE_SOCKETS.set(0)
    LIVE_POLLS.set(0)
    if FILES:
        for pid in {int(file.stem.rpartition("_")[2]) for file in Path(FILES).glob("gauge_live*.db")}:
            if not _is_alive(pid):
                # Counters of the dead stay, or their sums would fall.
                mark_process_dead(pid, FILES)  # type: ignore[no-untyped-call]


def empty_folder(folder: Path) -> None:
    """Forget what processes of an earlier start counted. Before the first of the new ones."""
    for file in folder.glob("*.db"):
        with suppress(FileNotFoundError):
            file.unlink()


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
