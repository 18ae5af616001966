"""What became of a claimed action: reported by the agent, unknown if it never was, then found out by a person."""

from typing import ClassVar
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from agentconsole import metrics
from agentconsole.errors import ConsoleError
from agentconsole.logconf import get_logger
from approvals.models import Action, OutcomeStatus
from approvals.models.action import REPORT_WITHIN
from approvals.services import audit
from approvals.services.deciding import ReasonRequiredError, actor_of, refuse_stranger
from approvals.services.ending import locked_action, own_action, touch
from approvals.services.refusals import refusals_audited
from runs.models import AgentInstance

log = get_logger(__name__)

UNKNOWN_A_SWEEP = 500


class NotConsumedError(ConsoleError):
    """An outcome of an action that was never started."""

    code: ClassVar[str] = "not_consumed"
    http_status: ClassVar[int] = 409
    title: ClassVar[str] = "Never started"


class OutcomeConflictError(ConsoleError):
    """Another outcome was reported before; the first one stays."""

    code: ClassVar[str] = "outcome_conflict"
    http_status: ClassVar[int] = 409
    title: ClassVar[str] = "Reported otherwise before"


class NotUnknownError(ConsoleError):
    """The outcome is known, or the action was never started: there is nothing to find out."""

    code: ClassVar[str] = "outcome_known"
    http_status: ClassVar[int] = 409
    title: ClassVar[str] = "Nothing to find out"


def report_outcome(*, instance: AgentInstance, action_id: UUID, status: OutcomeStatus, note: str | None) -> Action:
    """Take the agent's report, once; the same again changes nothing. It may come late, after the outcome counted as unknown.

    NotFoundError, NotConsumedError, OutcomeConflictError; each refusal is in the audit chain.
    """
    actor = instance.actor
    with refusals_audited("APPROVAL_OUTCOME_REFUSED", actor=actor, about=action_id), transaction.atomic():
        action = own_action(instance, action_id)
        if action.claimed_at is None:
            raise NotConsumedError("This request was not consumed. Consume it before the call, report after it.")
        if action.outcome in (OutcomeStatus.SUCCEEDED, OutcomeStatus.FAILED):
            if (action.outcome, action.outcome_note) != (status, note or ""):
                raise OutcomeConflictError(f"This request was reported as {action.outcome} before; that stays.")
            return action
        _write_outcome(action, status, note or "")
        audit.append(
            "APPROVAL_OUTCOME_REPORTED",
            actor=actor,
            object_id=f"action:{action.id}",
            data={"outcome": status.value, "note": action.outcome_note},
        )
        log.info("APPROVAL_OUTCOME_REPORTED", action_id=str(action.id), outcome=status.value)
    return action


def _write_outcome(action: Action, status: OutcomeStatus, note: str) -> None:
    now = timezone.now()
    action.outcome, action.outcome_note, action.outcome_at = status, note, now
    touch(action, now)
    action.save(update_fields=["outcome", "outcome_note", "outcome_at", "version", "updated_at"])
    transaction.on_commit(metrics.APPROVAL_OUTCOMES.labels(action.environment_id, status.value).inc)


def mark_unknown_outcomes() -> int:
    """Claimed actions that nobody reported on within `REPORT_WITHIN` have an unknown outcome; how many now got that."""
    limit = timezone.now() - REPORT_WITHIN
    silent = Action.objects.filter(outcome="", claimed_at__lt=limit).order_by("claimed_at")
    ids = list(silent.values_list("id", flat=True)[:UNKNOWN_A_SWEEP])
    return sum([_mark_unknown(action_id) for action_id in ids])


def _mark_unknown(action_id: UUID) -> bool:
    with transaction.atomic():
        action = locked_action(action_id)
        if action.outcome:
            return False
        _write_outcome(action, OutcomeStatus.UNKNOWN, "")
        audit.append("APPROVAL_OUTCOME_UNKNOWN", actor="console", object_id=f"action:{action.id}", data={})
        log.warning("APPROVAL_OUTCOME_UNKNOWN", action_id=str(action.id), run_id=str(action.run_id or ""))
    return True


def reconcile_outcome(*, person: User, action_id: UUID, found: OutcomeStatus, note: str) -> Action:
    """A person says what they found of an action of unknown outcome, and how they know.

    NotFoundError, NotAReviewerError, ReasonRequiredError, NotUnknownError; each refusal is in the audit chain.
    """
    note, actor = note.strip(), actor_of(person)
    with refusals_audited("APPROVAL_OUTCOME_REFUSED", actor=actor, about=action_id), transaction.atomic():
        action = locked_action(action_id)
        refuse_stranger(person, action)
        if action.outcome != OutcomeStatus.UNKNOWN or action.reconciled_as:
            raise NotUnknownError("The outcome of this action is known. Nothing was changed.")
        if not note or found is OutcomeStatus.UNKNOWN:
            raise ReasonRequiredError("Say whether it succeeded or failed, and how you know.")
        now = timezone.now()
        action.reconciled_as, action.reconciled_by, action.reconciled_at = found, person, now
        action.reconciled_note = note
        touch(action, now)
        action.save(
            update_fields=[
                "reconciled_as", "reconciled_by", "reconciled_at", "reconciled_note", "version", "updated_at",
            ]
        )  # fmt: skip
        audit.append(
            "APPROVAL_OUTCOME_RECONCILED",
            actor=actor,
            object_id=f"action:{action.id}",
            data={"found": found.value, "note": note},
        )
        log.info("APPROVAL_OUTCOME_RECONCILED", action_id=str(action.id), found=found.value, person=person.username)
    return action
