"""An agent instance's startup summary: what it expected, what it found, what it lacks."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from agentconsole.logconf import get_logger
from agentconsole.protocol.lines import one_line
from agentconsole.protocol.redaction import Hit
from runs.ingest.clean import Cleaner
from runs.ingest.wire import Startup
from runs.lacks import Lacks
from runs.models import AgentInstance

log = get_logger(__name__)

Recorded = tuple[Startup, dict[str, Any]]
# A clock that was set back a little between a start and the first run.
CLOCK_STEP = timedelta(seconds=5)


def startup_summary(startup: Startup) -> tuple[dict[str, Any], list[Hit]]:
    """What is kept of a startup, and the secrets that were taken out of it. ItemTooLargeError if it is no summary any more."""
    told = startup.model_dump(mode="json", include={"expected", "loaded", "missing", "version", "sdk", "host", "pid"})
    cleaner = Cleaner()
    summary = cleaner.structure(told, "startup")
    return summary | {
        "expected": [one_line(name) for name in summary["expected"]],
        "loaded": [one_line(name) for name in summary["loaded"]],
        "missing": [
            {"name": one_line(tool["name"]), "reason": one_line(tool["reason"])} for tool in summary["missing"]
        ],
    }, cleaner.hits


def lacks_at(at: datetime, instance: AgentInstance, startups: Sequence[Recorded]) -> Lacks:
    """What an instance lacked when a run of it began at `at`: as the last summary before it says, by the instance's own clock.
    Nothing where none is known from before it: what a later one lacked says nothing of this run."""
    known = [(startup.at, summary.get("missing", [])) for startup, summary in startups]
    if instance.started_at is not None:
        known.append((instance.started_at, instance.missing_tools))
    before = [one for one in known if one[0] <= at + CLOCK_STEP]
    return Lacks.of(max(before, key=lambda one: one[0])[1]) if before else Lacks()


def record_startup(instance: AgentInstance, startup: Startup, summary: dict[str, Any]) -> bool:
    """Keep the summary if it is newer than the one that is kept. False if it is the same one, or an older."""
    with transaction.atomic():
        kept = AgentInstance.objects.select_for_update().get(id=instance.id)
        if kept.started_at is not None and startup.at <= kept.started_at:
            return False
        kept.started_at, kept.startup = startup.at, summary
        kept.save(update_fields=["started_at", "startup"])
    log.info("AGENT_STARTED", agent=instance.agent.name, instance=instance.name, loaded=len(startup.loaded))
    if startup.missing:
        names = [tool.name for tool in startup.missing]
        log.warning("AGENT_DEGRADED", agent=instance.agent.name, instance=instance.name, missing=names)
    return True
