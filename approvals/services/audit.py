"""The audit chain grows here and nowhere else."""

from collections.abc import Mapping
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from agentconsole import metrics
from agentconsole.protocol.fingerprint import canonical_json
from agentconsole.protocol.tokens import TOKENS
from approvals.audit_hash import entry_hash
from approvals.models import AuditEntry, AuditHead
from runs.queries.shapes import iso


def append(token: str, *, actor: str, object_id: str, data: Mapping[str, Any]) -> AuditEntry:
    """Add an entry, in the transaction of the step that it tells of, as the last thing that this locks: all share the chain's head.

    `data` holds ids, digests, names and people's own words, never a secret.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("an audit entry belongs into the transaction of its step")
    if token not in TOKENS:
        raise ValueError(f"{token} is not in agentconsole.protocol.tokens")
    head = locked_head()
    entry = AuditEntry(
        seq=head.seq + 1,
        prev_hash=head.hash,
        at=iso(timezone.now()),
        actor=actor[:200],
        token=token,
        object=object_id,
        data=canonical_json(dict(data)).decode(),
    )
    entry.hash = entry_hash(entry)
    entry.save(force_insert=True)
    AuditHead.objects.filter(id=head.id).update(seq=entry.seq, hash=entry.hash)
    transaction.on_commit(metrics.AUDIT_ENTRIES.labels(token).inc)
    return entry


def locked_head() -> AuditHead:
    """The chain's head, held for the rest of the transaction: a lock that all share, for what must be done by one alone."""
    head = AuditHead.objects.select_for_update().filter(id=1).first()
    if head is None:
        AuditHead.objects.get_or_create(id=1)
        head = AuditHead.objects.select_for_update().get(id=1)
    return head
