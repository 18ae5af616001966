"""What was refused is told apart and kept: an audit entry of its own, written after the attempt was rolled back."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import transaction

from agentconsole import metrics
from agentconsole.errors import ConsoleError
from approvals.services import audit


@contextmanager
def refusals_audited(token: str, *, actor: str, action_id: UUID) -> Iterator[None]:
    """Append `token` to the chain if the block is refused with a ConsoleError, which passes through."""
    try:
        yield
    except ConsoleError as error:
        with transaction.atomic():
            audit.append(token, actor=actor, object_id=f"action:{action_id}", data={"code": error.code})
        metrics.APPROVALS_REFUSED.labels(token, error.code).inc()
        raise
