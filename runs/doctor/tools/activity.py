"""What agents do on this console: their runs, calls and complaints, read from the rows.

Run ids are UUIDv7, so "since a time" is a range of the tables' keys, whatever their size.
"""

import time
import uuid
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Avg, Count, F, Max, QuerySet
from django.utils import timezone

from agentconsole.protocol.ids import first_uuid7
from runs.doctor.tools.reading import Reading
from runs.models import AgentInstance, Run, RunStatus, Span, SpanKind, TraceEvent

TOP = 5
LISTED = 20
SAMPLE_MARGIN = timedelta(minutes=1)
AGENTS_READ = 1000
LOUD = ("warning", "error", "critical")
FAILED = ("timeout", "auth_failed", "degraded", "rejected", "error")


@Reading
def ingest_rate(environments: list[str], *, window_s: float, without_run: str) -> dict[str, float]:
    """Rows that agents' items made or changed within `window_s`, from two samples of the runs' counters."""
    since = timezone.now() - SAMPLE_MARGIN
    changed = Run.objects.filter(environment__in=environments, updated_at__gt=since).exclude(id=without_run)
    before = {run_id: seq for run_id, seq, _received_at in _counters(changed)}
    started = time.monotonic()
    time.sleep(window_s)
    took_s = time.monotonic() - started
    # A run that is not in the first sample is new, or was silent before: only a new one's rows are all of this window.
    grown = {
        run_id: seq - before.get(run_id, 0 if received_at > since else seq - 1)
        for run_id, seq, received_at in _counters(changed)
    }
    rows = sum(grown.values())
    runs = sum(1 for count in grown.values() if count)
    return {"rows": rows, "runs": runs, "per_s": round(rows / took_s, 1)} if rows else {}


def _counters(runs: QuerySet[Run]) -> list[tuple[uuid.UUID, int, datetime]]:
    return list(runs.values_list("id", "seq", "received_at"))


@Reading
def runs_by_status(environments: list[str], *, hours: int) -> dict[str, int]:
    """How the runs that began in the last hours stand."""
    since = timezone.now() - timedelta(hours=hours)
    counted = Run.objects.filter(environment__in=environments, started_at__gte=since).values_list("status")
    return dict(counted.order_by().annotate(Count("id")))


@Reading
def stalled_runs(environments: list[str], *, hours: int) -> list[dict[str, str]]:
    """Runs of the last hours that fell silent, newest first."""
    since = timezone.now() - timedelta(hours=hours)
    found = Run.objects.filter(environment__in=environments, status=RunStatus.STALLED, started_at__gte=since)
    rows = found.order_by("-started_at").values("request_id", "agent__name", "environment", "phase")
    return [{name.split("__")[0]: str(value) for name, value in row.items()} for row in rows[:LISTED]]


@Reading
def degraded_agents(environments: list[str]) -> list[dict[str, Any]]:
    """Agents whose last start went without some of their tools."""
    live = AgentInstance.objects.filter(agent__environment__in=environments, revoked_at=None, started_at__isnull=False)
    instances = live.select_related("agent").order_by("-started_at")[:AGENTS_READ]
    return [
        {
            "agent": instance.agent.name,
            "environment": instance.agent.environment_id,
            "missing": [tool["name"] for tool in instance.missing_tools],
        }
        for instance in instances
        if instance.missing_tools
    ]


@Reading
def recent_warnings(environments: list[str], *, minutes: int, without_agent: str) -> dict[str, int]:
    """Tokens of warnings and worse that other agents' runs told of, most frequent first."""
    events = TraceEvent.objects.filter(
        run_id__gte=first_uuid7(timezone.now() - timedelta(minutes=minutes)), level__in=LOUD,
        run__environment__in=environments,
    ).exclude(run__agent__name=without_agent)  # fmt: skip
    counted = events.values_list("token").annotate(count=Count("*")).order_by("-count", "token")
    return dict(counted[:LISTED])


@Reading
def failed_calls(environments: list[str], *, minutes: int, without_agent: str) -> list[dict[str, Any]]:
    """Tools of other agents whose calls failed, by outcome, most frequent first."""
    failed = _tool_calls(environments, minutes).filter(outcome__in=FAILED).exclude(run__agent__name=without_agent)
    counted = failed.values("name", "outcome").annotate(calls=Count("*")).order_by("-calls", "name", "outcome")
    return [dict(row) for row in counted[:TOP]]


@Reading
def slowest_tools(environments: list[str], *, minutes: int, without_agent: str) -> list[dict[str, Any]]:
    """Tools of other agents by how long their calls take on average, slowest first."""
    timed = _tool_calls(environments, minutes).filter(elapsed_ms__isnull=False).exclude(run__agent__name=without_agent)
    grouped = timed.values("name").annotate(calls=Count("*"), mean_ms=Avg("elapsed_ms"), most_ms=Max("elapsed_ms"))
    return [{**row, "mean_ms": round(row["mean_ms"])} for row in grouped.order_by(F("mean_ms").desc(), "name")[:TOP]]


def _tool_calls(environments: list[str], minutes: int) -> QuerySet[Span]:
    since = first_uuid7(timezone.now() - timedelta(minutes=minutes))
    return Span.objects.filter(run_id__gte=since, kind=SpanKind.TOOL, run__environment__in=environments)
