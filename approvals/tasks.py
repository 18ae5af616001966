"""What runs in the background for the approval queue."""

from uuid import UUID

from celery import shared_task

from agentconsole import metrics
from agentconsole.services import record_beat
from approvals.services import delivering, ending, provisioning, reporting


@shared_task
def expire_actions() -> None:
    """Expire what nobody decided on in time."""
    metrics.SWEPT.labels("expired_actions").inc(ending.expire_due_actions())


@shared_task
def mark_unknown_outcomes() -> None:
    """Say of actions that were started and never reported that their outcome is unknown."""
    metrics.SWEPT.labels("unknown_outcomes").inc(reporting.mark_unknown_outcomes())


@shared_task
def deliver_notification(notification_id: str) -> None:
    """One attempt to tell an instance's receiver that its request has ended."""
    delivering.deliver(UUID(notification_id))


@shared_task
def deliver_due_notifications() -> None:
    """Hand out what is due: later attempts, and what was lost on the way to a worker. Its end is the outbox's sign of life."""
    handed_out = delivering.deliver_due()
    metrics.SWEPT.labels("due_notifications").inc(handed_out)
    record_beat("outbox", f"{handed_out} handed out")


@shared_task
def forget_provisioning() -> None:
    """Take credentials out of the answers that retries no longer need."""
    metrics.SWEPT.labels("provisioning_results").inc(provisioning.forget_old_results())
