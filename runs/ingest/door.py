"""What each door for telemetry asks of who comes, a credential and no more than its rate, and how it counts what they bring."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from agentconsole import metrics, ratelimit
from agentconsole.errors import BadRequestError, ConsoleError
from agentconsole.logconf import get_logger
from agentconsole.protocol.context import bound_context, current_context
from runs.models import AgentInstance
from runs.services.credentials import authenticate_instance
from runs.services.ledger import Entry, enter_refused

log = get_logger(__name__)


def admit(authorization: str) -> AgentInstance:
    """The instance that an `Authorization` header is of. UnauthorizedError, RateLimitedError. One query."""
    instance = authenticate_instance(authorization)
    ratelimit.spend(f"ingest:{instance.id}", limit=settings.INGEST_RATE)
    return instance


@contextmanager
def sent_by(instance: AgentInstance) -> Iterator[None]:
    """Make it known in the request's context who sends, for the length of a with-block."""
    context = current_context()
    if context is None:
        raise BadRequestError("The request has no context.")
    with bound_context(context.with_actor(instance.actor, environment=instance.agent.environment_id)):
        yield


@contextmanager
def reading(body: bytes, *, door: str, instance: AgentInstance) -> Iterator[None]:
    """Count a body, and say so where a ConsoleError tells that nothing of it could be read: in metrics, log and ledger."""
    metrics.INGEST_BYTES.inc(len(body))
    try:
        yield
    except ConsoleError as error:
        metrics.INGEST_REFUSED.labels(error.code).inc()
        log.warning("INGEST_REFUSED", code=error.code, bytes=len(body))
        enter_refused([Entry(error.code, error.message)], door=door, instance=instance)
        raise
