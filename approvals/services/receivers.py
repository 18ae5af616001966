"""Receivers: where an instance's notifications go, once they proved that they want them."""

import json
import uuid
from dataclasses import dataclass
from http import HTTPStatus
from typing import ClassVar
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from agentconsole.errors import ConsoleError
from agentconsole.logconf import get_logger
from agentconsole.secrets import seal
from approvals.models import WebhookReceiver
from approvals.services.delivering import PURPOSE
from approvals.services.turns import place_at
from approvals.webhooks.addresses import InvalidWebhookUrlError, checked_url
from approvals.webhooks.sending import Answer, post_signed
from runs.models import AgentInstance
from runs.queries.shapes import iso

log = get_logger(__name__)


class VerificationFailedError(ConsoleError):
    """A receiver that did not answer its challenge. Nothing was made or changed."""

    code: ClassVar[str] = "webhook_verification_failed"
    http_status: ClassVar[int] = 422
    title: ClassVar[str] = "The receiver did not answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A proposed receiver. The secret is the receiver's own; it is never given back."""

    url: str
    registration_id: UUID
    signing_secret: str


def put_receiver(instance: AgentInstance, delivery: Delivery) -> None:
    """Make it the instance's receiver, from the next attempt on. In the caller's transaction."""
    WebhookReceiver.objects.update_or_create(
        instance=instance,
        defaults={
            "url": delivery.url,
            "registration_id": delivery.registration_id,
            "sealed_secret": seal(delivery.signing_secret, PURPOSE),
            "verified_at": timezone.now(),
        },
    )


def verify_receiver(delivery: Delivery, instance_id: UUID) -> None:
    """One signed challenge, one attempt: the receiver has to know the registration and give the challenge back.

    InvalidWebhookUrlError (also for a name that leads inside), VerificationFailedError, RateLimitedError (the host's).
    """
    checked_url(delivery.url, allow_private=settings.WEBHOOK_ALLOW_PRIVATE)
    message_id, challenge = str(uuid.uuid4()), str(uuid.uuid4())
    message = {
        "id": message_id,
        "type": "webhook.verification",
        "registration_id": str(delivery.registration_id),
        "instance_id": str(instance_id),
        "created_at": iso(timezone.now()),
        "challenge": challenge,
    }
    body = json.dumps(message, separators=(",", ":")).encode()
    host = urlsplit(delivery.url).hostname or ""
    with place_at(host):
        answer = post_signed(
            delivery.url, message_id=message_id, body=body, secret=delivery.signing_secret, is_answer_read=True
        )
    if answer.is_refused:
        log.warning("WEBHOOK_REFUSED_ADDRESS", host=host, instance_id=str(instance_id))
        raise InvalidWebhookUrlError(
            "delivery.url leads to an address that is not on the internet.", param="delivery.url"
        )
    if not _is_proven(answer, challenge):
        why = answer.error or f"HTTP {answer.status} without the challenge"
        raise VerificationFailedError(
            f"The receiver did not answer its challenge ({why}). Nothing was made or changed.", param="delivery"
        )


def _is_proven(answer: Answer, challenge: str) -> bool:
    try:
        return answer.status == HTTPStatus.OK and json.loads(answer.body) == {"challenge": challenge}
    except (ValueError, RecursionError):
        return False
