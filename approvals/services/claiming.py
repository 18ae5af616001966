"""An agent starts what was approved: once, in time, and only that."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from agentconsole.errors import ConsoleError
from agentconsole.logconf import get_logger
from agentconsole.protocol.fingerprint import ActionEnvelope, canonical_bytes, digest_of, fingerprint_of, read_envelope
from approvals.models import Action, ActionStatus
from approvals.policy import Answer, Mode, Terms, without
from approvals.services import audit
from approvals.services.asking import IdempotencyConflictError
from approvals.services.deciding import PolicyDeniesError
from approvals.services.drifting import FingerprintMismatchError, allow_drift, refuse_drift
from approvals.services.ending import expire_if_due, own_action
from approvals.services.grants import grant_for, sign_grant
from approvals.services.policies import terms_now
from approvals.services.quorum import is_approved_enough
from approvals.services.refusals import refusals_audited
from approvals.services.telling import tell
from runs.models import AgentInstance

log = get_logger(__name__)


class NotApprovedError(ConsoleError):
    """The action is not approved, or no longer the one to run."""

    code: ClassVar[str] = "not_approved"
    http_status: ClassVar[int] = 409
    title: ClassVar[str] = "Not approved"


class ApprovalExpiredError(ConsoleError):
    """The approval's start-by time has passed."""

    code: ClassVar[str] = "approval_expired"
    http_status: ClassVar[int] = 409
    title: ClassVar[str] = "Too late to start"


class AlreadyConsumedError(ConsoleError):
    """The action was started before, under another key."""

    code: ClassVar[str] = "already_consumed"
    http_status: ClassVar[int] = 409
    title: ClassVar[str] = "Started before"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """What the executor is about to run. None: as it was asked. `fingerprint` is its own count of it, if it made one."""

    tool: str
    arguments: dict[str, Any]
    server: str | None = None
    operation: str | None = None
    resource: str | None = None
    schema_digest: str | None = None
    fingerprint: str = ""

    def envelope(self, approved: ActionEnvelope) -> ActionEnvelope:
        """The action that is about to run: who and where are the credential's, as when it was asked."""
        return replace(
            approved,
            tool=self.tool,
            server=self.server or "",
            arguments=self.arguments,
            operation=approved.operation if self.operation is None else self.operation,
            resource=approved.resource if self.resource is None else self.resource,
            schema_digest=approved.schema_digest if self.schema_digest is None else self.schema_digest,
        )


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim that was won. `grant` is there if the claim said what runs; `envelope` is what may run, canonically."""

    action: Action
    fingerprint: str
    envelope: str
    grant: str | None


def consume_action(
    *, instance: AgentInstance, action_id: UUID, idempotency_key: str, claimed: Claimed | None = None
) -> Claim:
    """Start an approved action of the instance: one winner, ever. The same key and claim again: the same answer.

    NotFoundError, NotApprovedError, ApprovalExpiredError, AlreadyConsumedError, IdempotencyConflictError, PolicyDeniesError,
    FingerprintMismatchError; each refusal is in the audit chain.
    """
    actor = instance.actor
    with refusals_audited("APPROVAL_CLAIM_REFUSED", actor=actor, about=action_id):
        with transaction.atomic():
            action = own_action(instance, action_id)
            # A refused drift is kept, so it is raised only when this transaction is committed.
            claim = _claim(action, idempotency_key, claimed, actor)
        if isinstance(claim, FingerprintMismatchError):
            raise claim
    return claim


def _claim(
    action: Action, idempotency_key: str, claimed: Claimed | None, actor: str
) -> "Claim | FingerprintMismatchError":
    canonical = _canonical(action, claimed)
    digest = digest_of(canonical) if claimed else ""
    if action.claimed_at is not None:
        return _claimed_before(action, idempotency_key, digest)
    # Now, not before the lock was ours: whoever waited for it may be too late.
    now = timezone.now()
    expire_if_due(action, now)
    _refuse_unstartable(action, now)
    terms = terms_now(action)
    if terms.answer is Answer.DENY:
        raise PolicyDeniesError(f"The policy in force denies this: {terms.why}")
    if not is_approved_enough(action, terms):
        raise NotApprovedError("What approved this is not enough under the policy in force. Ask again.")
    fingerprint = fingerprint_of(canonical)
    if claimed is not None and claimed.fingerprint not in ("", fingerprint):
        return FingerprintMismatchError(
            "The fingerprint that you sent is not that of the action that you sent. Nothing may run."
        )
    if fingerprint != action.fingerprint:
        if not _may_drift(action, canonical, terms):
            return refuse_drift(action, claimed, canonical, terms, now=now)
        allow_drift(action, canonical, now=now)
    return _win(action, canonical, idempotency_key=idempotency_key, digest=digest, actor=actor, now=now)


def _canonical(action: Action, claimed: Claimed | None) -> bytes:
    approved = action.envelope.encode()
    return approved if claimed is None else canonical_bytes(claimed.envelope(read_envelope(approved)))


def _claimed_before(action: Action, idempotency_key: str, digest: str) -> Claim:
    if action.claim_key != idempotency_key:
        raise AlreadyConsumedError("This approval was used. Ask again if it still needs to happen.")
    if action.claim_digest != digest:
        raise IdempotencyConflictError("This Idempotency-Key claimed a different action before.")
    return _answer(action)


def _refuse_unstartable(action: Action, now: datetime) -> None:
    if action.status != ActionStatus.APPROVED:
        raise NotApprovedError(f"The request is {action.status}. It may not run.")
    if action.is_superseded:
        raise NotApprovedError("The request was superseded by another one. It may not run.")
    if action.expires_at is None or now >= action.expires_at:
        raise ApprovalExpiredError("The time to start this has passed. Ask again.")


def _may_drift(action: Action, canonical: bytes, terms: Terms) -> bool:
    """Whether all that differs lies where the policy lets it (compat), and nothing else does."""
    if terms.mode is not Mode.COMPAT:
        return False
    approved, claimed = read_envelope(action.envelope.encode()), read_envelope(canonical)
    same = replace(claimed, arguments=without(claimed.arguments, terms.excluded))
    return canonical_bytes(same) == canonical_bytes(
        replace(approved, arguments=without(approved.arguments, terms.excluded))
    )


def _win(action: Action, canonical: bytes, *, idempotency_key: str, digest: str, actor: str, now: datetime) -> Claim:
    fingerprint, grant = fingerprint_of(canonical), None
    if digest:
        approved = action.fingerprint if fingerprint != action.fingerprint else ""
        grant = grant_for(action, fingerprint=fingerprint, approved_fingerprint=approved, now=now)
        grant["envelope"] = canonical.decode()
    # The row is locked, and yet compared and swapped: the condition stands in the statement that takes the one claim there is.
    won = Action.objects.filter(id=action.id, status=ActionStatus.APPROVED, claimed_at=None, expires_at__gt=now).update(
        claim_key=idempotency_key,
        claim_digest=digest,
        claimed_at=now,
        grant=grant,
        version=action.version + 1,
        updated_at=now,
    )
    if not won:
        raise AlreadyConsumedError("This approval was used. Ask again if it still needs to happen.")
    action.refresh_from_db()
    tell(action)
    audit.append(
        "APPROVAL_CLAIMED",
        actor=actor,
        object_id=f"action:{action.id}",
        data={
            "fingerprint": fingerprint,
            "approved_fingerprint": action.fingerprint,
            "grant": grant["jti"] if grant else "",
            "said_what_runs": bool(digest),
        },
    )
    log.info("APPROVAL_CLAIMED", action_id=str(action.id), fingerprint=fingerprint, run_id=str(action.run_id or ""))
    return _answer(action)


def _answer(action: Action) -> Claim:
    if action.grant is None:
        return Claim(action, action.fingerprint, action.envelope, None)
    claims = {name: value for name, value in action.grant.items() if name != "envelope"}
    return Claim(action, claims["fingerprint"], action.grant["envelope"], sign_grant(claims))
