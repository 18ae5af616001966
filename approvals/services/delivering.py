"""The outbox's way out: one attempt at a time, until acknowledged, given up, or nobody is there to be told."""

import random
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from agentconsole import metrics
from agentconsole.errors import RateLimitedError
from agentconsole.jobs import enqueue_on_commit
from agentconsole.logconf import get_logger
from agentconsole.secrets import UnsealError, unseal
from approvals.models import Notification, WebhookReceiver
from approvals.services.turns import place_at
from approvals.webhooks.sending import ATTEMPT_S, Answer, post_signed

log = get_logger(__name__)

PURPOSE = "webhook secret"
# Longer than an attempt can take: whoever finds it over knows that the one before is dead.
LEASE = timedelta(seconds=3 * ATTEMPT_S)
FIRST_PAUSE_S = 5.0
LONGEST_PAUSE_S = 3600.0
CROWDED_PAUSE_S = 10.0
DUE_A_SWEEP = 100


def deliver(notification_id: UUID) -> bool:
    """Make one attempt if it is due and nobody else makes one; whether it was acknowledged."""
    notification = _take(notification_id)
    if notification is None:
        return False
    receiver = WebhookReceiver.objects.filter(instance_id=notification.instance_id).first()
    if receiver is None:
        _end(notification, "the receiver was removed")
        return False
    left_s = (notification.give_up_at - timezone.now()).total_seconds()
    if left_s <= 0:
        _give_up(notification)
        return False
    host = urlsplit(receiver.url).hostname or ""
    try:
        with place_at(host):
            answer = _attempt(notification, receiver, left_s)
    except RateLimitedError:
        _put_off(notification)
        return False
    return _settle(notification, answer, host)


def _take(notification_id: UUID) -> Notification | None:
    """The notification, its attempt leased to us by compare-and-swap; None if it is over, not due, or being attempted."""
    now = timezone.now()
    free = Q(attempt_until=None) | Q(attempt_until__lte=now)
    due = Notification.objects.filter(free, id=notification_id, ended_at=None, next_attempt_at__lte=now)
    if not due.update(attempt_until=now + LEASE):
        return None
    return Notification.objects.get(id=notification_id)


def _attempt(notification: Notification, receiver: WebhookReceiver, left_s: float) -> Answer:
    try:
        secret = unseal(receiver.sealed_secret, PURPOSE)
    except UnsealError:
        return Answer(0, error="its signing secret can't be opened")
    body = notification.body.encode()
    return post_signed(receiver.url, message_id=str(notification.id), body=body, secret=secret, within_s=left_s)


def _settle(notification: Notification, answer: Answer, host: str) -> bool:
    names = {"notification_id": str(notification.id), "host": host, "attempt": notification.attempts + 1}
    if answer.is_acknowledged:
        now = timezone.now()
        Notification.objects.filter(id=notification.id, ended_at=None).update(
            delivered_at=now, ended_at=now, end_reason="acknowledged", attempt_until=None,
            attempts=notification.attempts + 1, last_status=answer.status, last_error="",
        )  # fmt: skip
        metrics.WEBHOOK_ATTEMPTS.labels("delivered").inc()
        log.info("WEBHOOK_DELIVERED", **names, status=answer.status)
        return True
    if answer.is_refused:
        metrics.WEBHOOK_ATTEMPTS.labels("address_refused").inc()
        log.warning("WEBHOOK_REFUSED_ADDRESS", **names)
    else:
        metrics.WEBHOOK_ATTEMPTS.labels("failed").inc()
        log.warning("WEBHOOK_FAILED", **names, status=answer.status, error=answer.error)
    _again(notification, answer)
    return False


def _again(notification: Notification, answer: Answer) -> None:
    """Plan the next attempt: exponentially later with jitter, never sooner than asked, never past the window."""
    attempts = notification.attempts + 1
    asked_s = answer.retry_after_s if answer.status in (429, 503) else None
    next_at = timezone.now() + timedelta(seconds=max(pause_s(attempts), asked_s or 0.0))
    told = {"attempts": attempts, "last_status": answer.status or None, "last_error": answer.error[:300]}
    if next_at >= notification.give_up_at:
        _give_up(notification, **told)
        return
    _ours(notification).update(next_attempt_at=next_at, attempt_until=None, **told)


def _put_off(notification: Notification) -> None:
    """It was not tried, as its host is crowded: soon again, and none of its attempts is used up."""
    next_at = timezone.now() + timedelta(seconds=CROWDED_PAUSE_S * random.uniform(0.5, 1.0))  # noqa: S311  jitter, not a secret
    _ours(notification).update(next_attempt_at=next_at, attempt_until=None)


def _ours(notification: Notification) -> QuerySet[Notification]:
    """Its row, as long as our lease is the last one: an attempt that was thought dead must not free another's."""
    return Notification.objects.filter(id=notification.id, ended_at=None, attempt_until=notification.attempt_until)


def pause_s(attempts: int) -> float:
    """The wait after so many attempts, drawn evenly from half to the whole of what doubles each time."""
    whole = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(attempts - 1, 30))
    return whole * random.uniform(0.5, 1.0)  # noqa: S311  jitter, not a secret


def _give_up(notification: Notification, **told: Any) -> None:
    _end(notification, "nobody acknowledged it in time", **told)
    attempts = told.get("attempts", notification.attempts)
    metrics.WEBHOOK_ATTEMPTS.labels("gave_up").inc()
    log.error("WEBHOOK_GAVE_UP", notification_id=str(notification.id), attempts=attempts)


def _end(notification: Notification, reason: str, **told: Any) -> None:
    _ours(notification).update(ended_at=timezone.now(), end_reason=reason, attempt_until=None, **told)


def deliver_due(now: datetime | None = None) -> int:
    """Hand what is due to the workers; how many. Makes up for what a broker lost and for workers that died."""
    from approvals.tasks import deliver_notification

    moment = now or timezone.now()
    free = Q(attempt_until=None) | Q(attempt_until__lte=moment)
    due = Notification.objects.filter(free, ended_at=None, next_attempt_at__lte=moment).order_by("next_attempt_at")
    ids = list(due.values_list("id", flat=True)[:DUE_A_SWEEP])
    with transaction.atomic():
        for notification_id in ids:
            enqueue_on_commit(deliver_notification, notification_id=str(notification_id))
    return len(ids)
