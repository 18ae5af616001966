"""A person decides. Every condition of a vote is checked here, under the action's lock, whatever the page said."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from agentconsole.errors import ConsoleError
from agentconsole.logconf import get_logger
from agentconsole.protocol.context import current_context
from approvals.models import Action, ActionStatus, Verdict, Vote
from approvals.policy import Answer, Terms
from approvals.presentation import digest, folds
from approvals.services import audit
from approvals.services.ending import audit_end, expire_if_due, locked_action, no_such_action, settle_action, touch
from approvals.services.fresh_logins import FreshLoginRequiredError
from approvals.services.policies import terms_now
from approvals.services.presenting import presentation_of
from approvals.services.quorum import approvals_that_count, is_persons_own
from approvals.services.refusals import refusals_audited
from runs.access import Role, role_of, visible_environments

log = get_logger(__name__)


class StaleDecisionError(ConsoleError):
    """The action is no longer what the page showed."""

    code: ClassVar[str] = "stale_decision"
    http_status: ClassVar[int] = 409
    title: ClassVar[str] = "This has changed since you loaded it"


class AlreadyDecidedError(ConsoleError):
    """The action is over: decided, expired or withdrawn."""

    code: ClassVar[str] = "already_decided"
    http_status: ClassVar[int] = 409
    title: ClassVar[str] = "It is decided already"


class AlreadyVotedError(ConsoleError):
    """One person, one vote."""

    code: ClassVar[str] = "already_voted"
    http_status: ClassVar[int] = 409
    title: ClassVar[str] = "You have voted on this"


class OwnActionError(ConsoleError):
    """Nobody decides on what is done for them or what they started."""

    code: ClassVar[str] = "own_action"
    http_status: ClassVar[int] = 403
    title: ClassVar[str] = "Somebody else has to decide this"


class NotAReviewerError(ConsoleError):
    """The person's role or groups don't reach."""

    code: ClassVar[str] = "not_a_reviewer"
    http_status: ClassVar[int] = 403
    title: ClassVar[str] = "Not yours to decide"


class UnopenedValuesError(ConsoleError):
    """Folded values were not opened before approving."""

    code: ClassVar[str] = "unopened_values"
    http_status: ClassVar[int] = 409
    title: ClassVar[str] = "Some of it was not read"


class ReasonRequiredError(ConsoleError):
    """A denial or a break-glass without its reason."""

    code: ClassVar[str] = "reason_required"
    http_status: ClassVar[int] = 400
    title: ClassVar[str] = "Say why"


class PolicyDeniesError(ConsoleError):
    """The policy in force now denies what people were asked, or had approved, before."""

    code: ClassVar[str] = "policy_denies"
    http_status: ClassVar[int] = 409
    title: ClassVar[str] = "The policy denies this now"


@dataclass(frozen=True, slots=True)
class Shown:
    """What the person had before them: the action's version, the digest of the page, the folded values that they opened."""

    version: int
    presentation_digest: str
    opened: frozenset[str] = frozenset()


def decide_action(
    *, person: User, action_id: UUID, verdict: Verdict, note: str, shown: Shown, is_fresh_login: bool
) -> Action:
    """Count a person's verdict; with its quorum the action ends. The action as it is afterwards.

    NotFoundError and every error of this module; each refusal is in the audit chain.
    """
    note = note.strip()
    with refusals_audited("APPROVAL_VOTE_REFUSED", actor=actor_of(person), about=action_id):
        if verdict is Verdict.DENY and not note:
            raise ReasonRequiredError("Say why you reject it: the agent and the audit log keep your words.")
        with transaction.atomic():
            action, terms = _open_for(person, action_id, shown)
            is_over = terms is None
            if terms is not None:
                if verdict is Verdict.APPROVE:
                    refuse_unread(action, shown)
                    _refuse_stale_login(terms, is_fresh_login=is_fresh_login)
                _vote(person, action, terms, verdict=verdict, note=note, shown=shown, is_fresh_login=is_fresh_login)
        if is_over:
            raise _over(action)
    return action


def _open_for(person: User, action_id: UUID, shown: Shown) -> tuple[Action, Terms | None]:
    """The action, locked, and the terms to decide on it; no terms if it is over, or was ended right now by its deadline or
    by the policy: that stays, so the caller refuses only once it is committed."""
    action = locked_action(action_id)
    refuse_stranger(person, action)
    now = timezone.now()
    if action.is_ended or expire_if_due(action, now):
        return action, None
    terms = terms_now(action)
    if terms.answer is Answer.DENY:
        settle_action(
            action, status=ActionStatus.DENIED, decided_by=f"policy:{terms.policy_version}", now=now, note=terms.why
        )
        audit_end(action)
        return action, None
    refuse_own(person, action)
    _refuse_outsider(person, terms)
    if action.votes.filter(person=person).exists():
        raise AlreadyVotedError("You have voted on this. Others have to complete the quorum.")
    refuse_stale(action, shown)
    return action, terms


def _over(action: Action) -> ConsoleError:
    if action.decided_by.startswith("policy:") and action.status == ActionStatus.DENIED:
        return PolicyDeniesError(f"The policy in force denies this: {action.note}")
    return AlreadyDecidedError(f"The action is {action.status} already; your verdict changes nothing.")


def refuse_stranger(person: User, action: Action) -> None:
    """NotFoundError unless the person may see it, NotAReviewerError unless their role lets them decide anything."""
    if action.environment_id not in visible_environments(person):
        raise no_such_action()
    if role_of(person) < Role.OPERATOR:
        raise NotAReviewerError("Deciding needs the role operator. Ask an admin of this console.")


def refuse_own(person: User, action: Action) -> None:
    """OwnActionError if it is done for them, or belongs to a run that they started."""
    if is_persons_own(person, action):
        raise OwnActionError(
            "This runs on your behalf, or in a run that you started. Nobody approves their own: ask a colleague."
        )


def _refuse_outsider(person: User, terms: Terms) -> None:
    missing = set(terms.groups) - set(person.groups.values_list("name", flat=True)) if terms.groups else set()
    if missing:
        raise NotAReviewerError(f"The policy asks the group {', '.join(sorted(missing))} to decide this.")


def refuse_stale(action: Action, shown: Shown) -> None:
    """StaleDecisionError unless the page showed the action as it is, whole."""
    if shown.version != action.version or shown.presentation_digest != digest(presentation_of(action)):
        raise StaleDecisionError("The action changed since this page was loaded. Nothing was decided: read it again.")


def refuse_unread(action: Action, shown: Shown) -> None:
    """UnopenedValuesError unless each folded value was opened."""
    unopened = set(folds(presentation_of(action))) - shown.opened
    if unopened:
        raise UnopenedValuesError(
            f"{len(unopened)} long value(s) were not opened. Open each before you approve.", unopened=sorted(unopened)
        )


def _refuse_stale_login(terms: Terms, *, is_fresh_login: bool) -> None:
    if terms.needs_fresh_login and not is_fresh_login:
        raise FreshLoginRequiredError("This is high risk. Enter your password once more to approve it.")


def _vote(
    person: User, action: Action, terms: Terms, *, verdict: Verdict, note: str, shown: Shown, is_fresh_login: bool
) -> None:
    now = timezone.now()
    record_vote(person, action, verdict, note, shown, is_fresh_login=is_fresh_login, now=now)
    approvals = len(approvals_that_count(action, terms))
    denials = action.votes.filter(verdict=Verdict.DENY).count()
    if denials >= terms.denials or approvals >= terms.approvals:
        is_denied = denials >= terms.denials
        settle_action(
            action,
            status=ActionStatus.DENIED if is_denied else ActionStatus.APPROVED,
            decided_by=actor_of(person),
            now=now,
            note=note,
            expires_at=None if is_denied else now + timedelta(seconds=terms.start_within_s),
        )
    else:
        touch(action, now)
        action.save(update_fields=["version", "updated_at"])
    _audit_vote(person, action, verdict, note, shown, approvals=approvals, denials=denials)
    if action.is_ended:
        audit_end(action)


def record_vote(
    person: User,
    action: Action,
    verdict: Verdict,
    note: str,
    shown: Shown,
    *,
    is_fresh_login: bool,
    now: datetime,
) -> None:
    """The row of a vote. The database holds one person to one."""
    context = current_context()
    Vote.objects.create(
        action=action,
        person=person,
        verdict=verdict,
        note=note,
        at=now,
        action_version=shown.version,
        fingerprint=action.fingerprint,
        presentation_digest=shown.presentation_digest,
        was_fresh_login=is_fresh_login,
        request_id=context.request_id if context else "",
    )


def _audit_vote(
    person: User, action: Action, verdict: Verdict, note: str, shown: Shown, *, approvals: int, denials: int
) -> None:
    audit.append(
        "APPROVAL_VOTED",
        actor=actor_of(person),
        object_id=f"action:{action.id}",
        data={
            "verdict": verdict.value,
            "note": note,
            "fingerprint": action.fingerprint,
            "presentation_digest": shown.presentation_digest,
            "version": shown.version,
            "approvals": approvals,
            "denials": denials,
        },
    )
    log.info(
        "APPROVAL_VOTED",
        action_id=str(action.id),
        verdict=verdict.value,
        person=person.username,
        approvals=approvals,
        denials=denials,
    )


def actor_of(person: User) -> str:
    """A person as the audit chain names them."""
    return f"person:{person.username}"
