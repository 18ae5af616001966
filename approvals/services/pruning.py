"""Pruning as a guarded tool: the console deletes runs only for a grant that a person or the policy gave for just that."""

from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.core.cache import cache
from django.utils import timezone

from agentconsole.errors import BadRequestError, ConsoleError, ForbiddenError
from agentconsole.logconf import get_logger
from agentconsole.sdk.grants import Grant, GrantRefused, verify_grant
from approvals.services.grants import jwks
from runs.models import AgentInstance
from runs.queries.retention import cutoffs
from runs.services.sweeps import Pruned, prune_environment

log = get_logger(__name__)

# The tool as the doctor guards it (runs/doctor/tools/prune.py).
SERVER = "agentconsole"
TOOL = "prune_runs"
OPERATION = "runs.prune"
_REMEMBERED_S = 900


class GrantUsedError(ConsoleError):
    """A grant opens its tool once."""

    code: ClassVar[str] = "grant_used"
    http_status: ClassVar[int] = 409
    title: ClassVar[str] = "That grant was used"


def prune_under_grant(*, instance: AgentInstance, grant: str, before: str) -> Pruned:
    """Delete the finished runs of the instance's environment not heard of since `before` (ISO 8601, as it was approved).

    ForbiddenError unless the grant is this console's, for this instance and exactly this call; GrantUsedError;
    BadRequestError if `before` would take runs that are not past their retention.
    """
    environment = instance.agent.environment_id
    found = _verified(grant, environment, before)
    _refuse_borrowed(found, instance)
    cutoff = _cutoff(environment, before)
    # `add` tells whether it was there, on every cache: two web processes agree through Redis.
    if not cache.add(f"grant:{found.grant_id}", "used", timeout=_REMEMBERED_S):
        raise GrantUsedError("This grant was used before. Ask again if more has to go.")
    return prune_environment(environment, cutoff)


def _verified(grant: str, environment: str, before: str) -> Grant:
    try:
        return verify_grant(
            grant,
            jwks=jwks(),
            audience=SERVER,
            issuer=settings.CONSOLE_URL,
            tool=TOOL,
            server=SERVER,
            operation=OPERATION,
            resource=environment,
            arguments={"before": before},
            environment=environment,
        )
    except GrantRefused as error:
        log.warning("GRANT_REFUSED", tool=TOOL, reason=error.code)
        raise ForbiddenError(f"The grant does not open this: {error}.") from error


def _refuse_borrowed(grant: Grant, instance: AgentInstance) -> None:
    """ForbiddenError unless the grant is shown by the instance that claimed it."""
    if (grant.agent, grant.instance) != (instance.agent.name, instance.name):
        log.warning("GRANT_REFUSED", tool=TOOL, reason="not_yours")
        raise ForbiddenError("The grant does not open this: it was given to another agent or instance.")


def _cutoff(environment: str, before: str) -> datetime:
    try:
        cutoff = datetime.fromisoformat(before)
    except ValueError as error:
        raise BadRequestError("`before` is an ISO 8601 time with offset.") from error
    latest = cutoffs(timezone.now()).get(environment)
    if cutoff.tzinfo is None or latest is None or cutoff > latest:
        raise BadRequestError("`before` would take runs that are not past their retention. Nothing was deleted.")
    return cutoff
