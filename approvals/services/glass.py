"""Break-glass: an admin approves alone, past quorum and reviewer group. Never past the policy's denial, never their own."""

from datetime import timedelta
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from agentconsole.errors import ForbiddenError
from agentconsole.logconf import get_logger
from approvals.models import Action, ActionStatus, BreakGlass, Verdict
from approvals.policy import Answer, Terms
from approvals.services import audit
from approvals.services.deciding import (
    AlreadyDecidedError,
    AlreadyVotedError,
    NotAReviewerError,
    PolicyDeniesError,
    ReasonRequiredError,
    Shown,
    actor_of,
    record_vote,
    refuse_own,
    refuse_stale,
    refuse_stranger,
    refuse_unread,
)
from approvals.services.ending import audit_end, expire_if_due, locked_action, no_such_action, settle_action, touch
from approvals.services.fresh_logins import FreshLoginRequiredError
from approvals.services.policies import terms_now
from approvals.services.refusals import refusals_audited
from runs.access import Role, role_of

log = get_logger(__name__)


def break_glass(*, person: User, action_id: UUID, reason: str, shown: Shown, is_fresh_login: bool) -> Action:
    """Approve at once, as an admin, saying why. It stays loud on every page until a second person has reviewed it.

    The errors of `decide_action`; each refusal is in the audit chain.
    """
    reason = reason.strip()
    with refusals_audited("APPROVAL_VOTE_REFUSED", actor=actor_of(person), about=action_id):
        if not reason:
            raise ReasonRequiredError("Say why this can't wait for the others: they will review it.")
        if role_of(person) < Role.ADMIN:
            raise NotAReviewerError("Breaking the glass needs the role admin.")
        if not is_fresh_login:
            raise FreshLoginRequiredError("Enter your password once more to break the glass.")
        with transaction.atomic():
            action = locked_action(action_id)
            refuse_stranger(person, action)
            now = timezone.now()
            is_over = action.is_ended or expire_if_due(action, now)
            if not is_over:
                _break(person, action, reason, shown)
        if is_over:
            raise AlreadyDecidedError(f"The action is {action.status} already; there is no glass to break.")
    return action


def _break(person: User, action: Action, reason: str, shown: Shown) -> None:
    terms = terms_now(action)
    if terms.answer is Answer.DENY:
        raise PolicyDeniesError(f"The policy in force denies this, also in an emergency: {terms.why}")
    refuse_own(person, action)
    refuse_stale(action, shown)
    refuse_unread(action, shown)
    if action.votes.filter(person=person, verdict=Verdict.DENY).exists():
        raise AlreadyVotedError("You rejected this yourself. Somebody else may approve it.")
    _approve(person, action, reason, shown, terms)


def _approve(person: User, action: Action, reason: str, shown: Shown, terms: Terms) -> None:
    now = timezone.now()
    if not action.votes.filter(person=person).exists():
        record_vote(person, action, Verdict.APPROVE, reason, shown, is_fresh_login=True, now=now)
    BreakGlass.objects.create(action=action, person=person, reason=reason, at=now)
    settle_action(
        action,
        status=ActionStatus.APPROVED,
        decided_by=actor_of(person),
        now=now,
        note=reason,
        expires_at=now + timedelta(seconds=terms.start_within_s),
    )
    audit.append(
        "APPROVAL_BREAK_GLASS",
        actor=actor_of(person),
        object_id=f"action:{action.id}",
        data={
            "reason": reason,
            "fingerprint": action.fingerprint,
            "presentation_digest": shown.presentation_digest,
            "version": shown.version,
            "terms": terms.to_json(),
        },
    )
    audit_end(action)
    log.warning("APPROVAL_BREAK_GLASS", action_id=str(action.id), person=person.username)


def review_break_glass(*, person: User, action_id: UUID, note: str) -> BreakGlass:
    """A second person has looked at it, and says what they think. Again by anybody: the first review stays.

    NotFoundError, NotAReviewerError, ReasonRequiredError; ForbiddenError for the one who broke it, OwnActionError for whom it was.
    Each refusal is in the audit chain.
    """
    note, actor = note.strip(), actor_of(person)
    with refusals_audited("APPROVAL_REVIEW_REFUSED", actor=actor, about=action_id), transaction.atomic():
        action = locked_action(action_id)
        refuse_stranger(person, action)
        broken = BreakGlass.objects.select_for_update().filter(action=action).first()
        if broken is None:
            raise no_such_action()
        if broken.person_id == person.id:
            raise ForbiddenError("A second person has to review it: ask a colleague.")
        refuse_own(person, action)
        if not note:
            raise ReasonRequiredError("Say what you found: the audit log keeps your words.")
        if broken.reviewed_at is None:
            now = timezone.now()
            broken.reviewed_by, broken.reviewed_at, broken.review_note = person, now, note
            broken.save(update_fields=["reviewed_by", "reviewed_at", "review_note"])
            touch(action, now)
            action.save(update_fields=["version", "updated_at"])
            audit.append(
                "APPROVAL_BREAK_GLASS_REVIEWED",
                actor=actor,
                object_id=f"action:{action.id}",
                data={"note": note, "broken_by": broken.person.username},
            )
            log.info("APPROVAL_BREAK_GLASS_REVIEWED", action_id=str(action.id), person=person.username)
    return broken
