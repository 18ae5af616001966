"""How an action ends: decided, expired or withdrawn. One terminal outcome, whatever races: the row's lock is the judge."""

from datetime import datetime
from functools import partial
from typing import ClassVar
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from agentconsole import metrics
from agentconsole.errors import ConsoleError, NotFoundError
from agentconsole.logconf import get_logger
from approvals.models import Action, ActionStatus
from approvals.services import audit
from approvals.services.notifications import record_notification
from approvals.services.refusals import refusals_audited
from approvals.services.telling import tell
from runs.models import AgentInstance
from runs.services.waits import end_wait

log = get_logger(__name__)

CONSOLE = "console"
EXPIRED_A_SWEEP = 500
_TOKENS = {
    ActionStatus.APPROVED: "APPROVAL_APPROVED",
    ActionStatus.DENIED: "APPROVAL_DENIED",
    ActionStatus.EXPIRED: "APPROVAL_EXPIRED",
    ActionStatus.CANCELLED: "APPROVAL_CANCELLED",
}


class AlreadyTerminalError(ConsoleError):
    """The action was decided or has expired, and can't be withdrawn."""

    code: ClassVar[str] = "already_terminal"
    http_status: ClassVar[int] = 409
    title: ClassVar[str] = "It is over"


def locked_action(action_id: UUID) -> Action:
    """The action, its row locked until the transaction ends. NotFoundError."""
    action = (
        Action.objects.select_for_update(of=("self",)).select_related("agent", "instance").filter(id=action_id).first()
    )
    if action is None:
        raise no_such_action()
    return action


def own_action(instance: AgentInstance, action_id: UUID) -> Action:
    """As `locked_action`, for the instance that asked: another's is not there for it. NotFoundError."""
    action = locked_action(action_id)
    if action.instance_id != instance.id:
        raise no_such_action()
    return action


def no_such_action() -> NotFoundError:
    """The one answer for what is not there and for what is somebody else's."""
    return NotFoundError("There is no such request, or it is not yours to see.")


def settle_action(
    action: Action,
    *,
    status: ActionStatus,
    decided_by: str,
    now: datetime,
    note: str = "",
    expires_at: datetime | None = None,
    notify: bool = True,
) -> None:
    """Write the end of a pending action whose row is locked: itself, its run's wait, its notification. Not yet the audit."""
    action.status, action.decided_at, action.decided_by, action.note = (
        status,
        max(now, action.created_at),
        decided_by,
        note,
    )
    action.expires_at = expires_at
    touch(action, now)
    action.save(update_fields=["status", "decided_at", "decided_by", "note", "expires_at", "version", "updated_at"])
    if action.run_id is not None:
        end_wait(
            run_id=action.run_id,
            action_id=action.id,
            at=now,
            outcome="ok" if status == ActionStatus.APPROVED else "rejected",
            message=in_words(action),
        )
    if notify:
        record_notification(action)


def end_action(
    action: Action,
    *,
    status: ActionStatus,
    decided_by: str,
    now: datetime,
    note: str = "",
    expires_at: datetime | None = None,
    notify: bool = True,
) -> None:
    """As `settle_action`, and into the audit chain: the last thing that its transaction writes."""
    settle_action(
        action, status=status, decided_by=decided_by, now=now, note=note, expires_at=expires_at, notify=notify
    )
    audit_end(action)


def audit_end(action: Action) -> None:
    """The entry and the log line of an action's end."""
    token = _TOKENS[ActionStatus(action.status)]
    audit.append(
        token,
        actor=action.decided_by,
        object_id=f"action:{action.id}",
        data={
            "fingerprint": action.fingerprint,
            "status": action.status,
            "note": action.note,
            "decided_at": action.decided_at.isoformat() if action.decided_at else "",
            "expires_at": action.expires_at.isoformat() if action.expires_at else "",
            "version": action.version,
        },
    )
    _say(action)
    assert action.decided_at is not None
    transaction.on_commit(
        partial(
            metrics.observe_approval,
            environment=action.environment_id,
            status=action.status,
            decided_by=action.decided_by,
            seconds=(action.decided_at - action.created_at).total_seconds(),
        )
    )


def _say(action: Action) -> None:
    names = {"action_id": str(action.id), "decided_by": action.decided_by, "run_id": str(action.run_id or "")}
    match action.status:
        case ActionStatus.APPROVED:
            log.info("APPROVAL_APPROVED", **names)
        case ActionStatus.DENIED:
            log.info("APPROVAL_DENIED", **names)
        case ActionStatus.EXPIRED:
            log.warning("APPROVAL_EXPIRED", **names)
        case ActionStatus.CANCELLED:
            log.info("APPROVAL_CANCELLED", **names)


def touch(action: Action, now: datetime) -> None:
    """Number the change and tell, once committed. The caller saves `version` and `updated_at`."""
    action.version += 1
    action.updated_at = now
    tell(action)


def in_words(action: Action) -> str:
    """How it ended, as the run's timeline says it."""
    by = action.decided_by.removeprefix("person:")
    match action.status:
        case ActionStatus.APPROVED:
            return f"approved by {by}"
        case ActionStatus.DENIED:
            return f"denied by {by}: {action.note}" if action.note else f"denied by {by}"
        case ActionStatus.EXPIRED:
            return "nobody decided in time"
        case _:
            return "withdrawn before anybody decided"


def expire_if_due(action: Action, now: datetime) -> bool:
    """Whether a pending action, its row locked, was past its deadline; it is expired then."""
    if action.status != ActionStatus.PENDING or now < action.deadline_at:
        return False
    end_action(action, status=ActionStatus.EXPIRED, decided_by=CONSOLE, now=now)
    return True


def expire_action(action_id: UUID) -> Action:
    """The action, expired if its deadline has passed. NotFoundError. For whoever waits for it and can't wait for the sweep."""
    with transaction.atomic():
        action = locked_action(action_id)
        expire_if_due(action, timezone.now())
    return action


def expire_due_actions() -> int:
    """Expire pending actions past their deadline, each in a transaction of its own; how many. What is left is the next sweep's."""
    due = Action.objects.filter(status=ActionStatus.PENDING, deadline_at__lte=timezone.now())
    ids = list(due.order_by("deadline_at").values_list("id", flat=True)[:EXPIRED_A_SWEEP])
    for action_id in ids:
        try:
            expire_action(action_id)
        except NotFoundError:  # pruned meanwhile
            continue
    return len(ids)


def cancel_action(*, instance: AgentInstance, action_id: UUID) -> Action:
    """Withdraw an instance's own pending action; again, the same answer.

    NotFoundError, AlreadyTerminalError; each refusal is in the audit chain.
    """
    actor = instance.actor
    with refusals_audited("APPROVAL_CANCEL_REFUSED", actor=actor, about=action_id):
        with transaction.atomic():
            action = own_action(instance, action_id)
            now = timezone.now()
            expire_if_due(action, now)
            if action.status == ActionStatus.PENDING:
                end_action(action, status=ActionStatus.CANCELLED, decided_by=actor, now=now)
        if action.status != ActionStatus.CANCELLED:
            raise AlreadyTerminalError(f"The request is {action.status}, and stays so. Nothing was changed.")
    return action


def cancel_all_of(*, instance: AgentInstance, notify: bool) -> int:
    """Withdraw everything of an instance that is pending, in the caller's transaction; how many."""
    pending = Action.objects.filter(instance=instance, status=ActionStatus.PENDING).order_by("id")
    count = 0
    for action_id in list(pending.values_list("id", flat=True)):
        action = locked_action(action_id)
        if action.status == ActionStatus.PENDING:
            end_action(action, status=ActionStatus.CANCELLED, decided_by=CONSOLE, now=timezone.now(), notify=notify)
            count += 1
    return count
