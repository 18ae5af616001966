"""What was refused is told apart and kept: an audit entry of its own, written after the attempt was rolled back."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import transaction

from agentconsole import metrics
from agentconsole.errors import ConsoleError
from approvals.services import audit


@contextmanager
def refusals_audited(token: str, *, actor: str, about: UUID | str) -> Iterator[None]:
    """Append `token` to the chain if the block is refused with a ConsoleError, which passes through.

    `about` is the action's id; for a question, of which there is no action yet, the object that the chain shall name.
    """
    object_id = about if isinstance(about, str) else f"action:{about}"
    try:
        yield
    except ConsoleError as error:
        with transaction.atomic():
            audit.append(token, actor=actor, object_id=object_id, data={"code": error.code, **_reason(error)})
        metrics.APPROVALS_REFUSED.labels(token, error.code).inc()
        raise


def _reason(error: ConsoleError) -> dict[str, str]:
    """What the code alone doesn't tell; never a word of what was sent."""
    return {"reason": error.data["reason"]} if "reason" in error.data else {}
