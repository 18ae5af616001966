"""What is about to run is not what was approved: recorded with its difference, let through or refused, never silently."""

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from agentconsole.errors import ConsoleError
from agentconsole.logconf import get_logger
from agentconsole.protocol.exact_json import parse_exact
from agentconsole.protocol.fingerprint import fingerprint_of
from approvals.models import Action, Drift
from approvals.policy import Mode, Terms, changes
from approvals.services import audit
from approvals.services.ending import touch

if TYPE_CHECKING:
    from approvals.services.claiming import Claimed

log = get_logger(__name__)


class FingerprintMismatchError(ConsoleError):
    """What is about to run is not what was approved. `changes` says where, `superseding` which request was opened instead."""

    code: ClassVar[str] = "fingerprint_mismatch"
    http_status: ClassVar[int] = 409
    title: ClassVar[str] = "Not what was approved"


def allow_drift(action: Action, canonical: bytes, *, now: datetime) -> None:
    """Record a drift that the policy's projection lets through."""
    drift = _record(action, canonical, now=now, is_allowed=True)
    _audit("APPROVAL_DRIFT_ALLOWED", action, drift)
    log.warning("APPROVAL_DRIFT_ALLOWED", action_id=str(action.id), changes=len(drift.changes))


def refuse_drift(
    action: Action, claimed: "Claimed | None", canonical: bytes, terms: Terms, *, now: datetime
) -> FingerprintMismatchError:
    """Record a drift that may not run; in `pending` mode put it before people at once. The error to raise once committed."""
    from approvals.services.superseding import supersede

    drift = _record(action, canonical, now=now, is_allowed=False)
    superseding = None
    if terms.mode is Mode.PENDING and claimed is not None:
        superseding = supersede(action, claimed, now=now)
    touch(action, now)
    action.save(update_fields=["version", "updated_at"])
    _audit("APPROVAL_DRIFT_REJECTED", action, drift)
    log.warning(
        "APPROVAL_DRIFT_REJECTED",
        action_id=str(action.id),
        changes=len(drift.changes),
        superseding=str(superseding.id) if superseding else "",
    )
    hint = (
        f" It was put before the reviewers as {superseding.id}." if superseding else " Ask again for what should run."
    )
    return FingerprintMismatchError(
        "What is about to run is not what was approved. It was refused." + hint,
        changes=drift.changes,
        superseding=str(superseding.id) if superseding else None,
    )


def _record(action: Action, canonical: bytes, *, now: datetime, is_allowed: bool) -> Drift:
    found = changes(parse_exact(action.envelope), parse_exact(canonical))
    return Drift.objects.create(
        action=action,
        at=now,
        instance=action.instance,
        fingerprint=fingerprint_of(canonical),
        envelope=canonical.decode(),
        # A key may hold NUL, which no column of JSON on PostgreSQL takes; values are JSON text and have it escaped.
        changes=[{**asdict(change), "path": change.path.replace("\0", "\\u0000")} for change in found],
        is_allowed=is_allowed,
    )


def _audit(token: str, action: Action, drift: Drift) -> None:
    audit.append(
        token,
        actor=f"agent:{action.agent.name}/{action.instance.name}",
        object_id=f"action:{action.id}",
        data={"fingerprint": drift.fingerprint, "approved_fingerprint": action.fingerprint, "changes": drift.changes},
    )
