"""The outbox's way in: a notification is written with the end of its action, and a worker takes it from there."""

import json
import uuid
from datetime import timedelta

from django.utils import timezone

from agentconsole.jobs import enqueue_on_commit
from approvals.models import Action, Notification, ProvisionedInstance, WebhookReceiver
from runs.models import AgentInstance
from runs.queries.shapes import iso

WINDOW = timedelta(hours=168)


def record_notification(action: Action) -> None:
    """Tell the instance's receiver, if it has one, that its action has ended. In the transaction that ended it."""
    if action.decided_at is None or not WebhookReceiver.objects.filter(instance_id=action.instance_id).exists():
        return
    provisioned = ProvisionedInstance.objects.get(instance_id=action.instance_id)
    event_id = uuid.uuid4()
    body = {
        "id": str(event_id),
        "type": "request.resolved",
        "instance_id": str(provisioned.id),
        "request_id": str(action.id),
        "created_at": iso(action.decided_at),
    }
    Notification.objects.create(
        id=event_id,
        action=action,
        instance_id=action.instance_id,
        body=json.dumps(body, separators=(",", ":")),
        created_at=action.decided_at,
        give_up_at=action.decided_at + WINDOW,
        next_attempt_at=action.decided_at,
    )
    from approvals.tasks import deliver_notification

    enqueue_on_commit(deliver_notification, notification_id=str(event_id))


def end_notifications(*, instance: AgentInstance, reason: str) -> int:
    """Deliver nothing more to an instance's receiver; how many were still to be told."""
    now = timezone.now()
    return Notification.objects.filter(instance=instance, ended_at=None).update(ended_at=now, end_reason=reason)
