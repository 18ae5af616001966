"""An agent instance's startup summary: what it expected, what it found, what it lacks."""

from typing import Any

from django.db import transaction

from agentconsole.logconf import get_logger
from runs.ingest.clean import Cleaner
from runs.ingest.wire import Startup
from runs.models import AgentInstance

log = get_logger(__name__)


def startup_summary(startup: Startup) -> dict[str, Any]:
    """What is kept of a startup. ItemTooLargeError if it is no summary any more."""
    told = startup.model_dump(mode="json", include={"expected", "loaded", "missing", "version", "sdk", "host", "pid"})
    return Cleaner().structure(told, "startup")


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
