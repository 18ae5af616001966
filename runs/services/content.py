"""Whether the console keeps what an agent's tools, models and people said."""

from collections.abc import Sequence

from django.db import transaction

from agentconsole.errors import NotFoundError
from agentconsole.logconf import get_logger
from runs.models import Agent
from runs.signals import step_taken

log = get_logger(__name__)


def switch_content(*, actor: str, environment: str, agent: str, environments: Sequence[str], keeps: bool) -> Agent:
    """From now on content is kept, or is not; what is stored stays as it is. Audited. NotFoundError."""
    with transaction.atomic():
        found = Agent.objects.select_for_update().filter(environment=environment, name=agent).first()
        if found is None or environment not in environments:
            raise NotFoundError("There is no such agent, or it is in an environment that you can't see.")
        if found.keeps_content != keeps:
            found.keeps_content = keeps
            found.save(update_fields=["keeps_content"])
            data = {"environment": environment, "agent": agent, "keeps_content": keeps}
            step_taken.send(
                sender=Agent,
                token="CONTENT_SWITCHED",  # noqa: S106  a token to grep for
                actor=actor,
                object_id=f"agent:{found.id}",
                data=data,
            )
            log.info("CONTENT_SWITCHED", actor=actor, agent=agent, environment=environment, keeps=keeps)
    return found
