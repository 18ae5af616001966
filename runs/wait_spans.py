"""What the console's own spans are called: those that say that a run waited for a person. Pure."""

import hashlib
from uuid import UUID

NAME_PREFIX = "approval: "
_NO_SPAN = "0" * 16


def wait_span_id(action_id: UUID) -> str:
    """The id of the span in which a run waits for an action: 16 hex digits, never all zero."""
    digest = hashlib.sha256(str(action_id).encode()).hexdigest()
    return next(part for at in range(0, 64, 16) if (part := digest[at : at + 16]) != _NO_SPAN)
