"""A notification that waits to be delivered, and a receiver that answers as it is told."""

from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from agentconsole.secrets import seal
from approvals.models import Notification, ProvisionedInstance, WebhookReceiver
from approvals.services import delivering
from approvals.services.delivering import PURPOSE
from approvals.services.provisioners import issue_provisioner
from approvals.webhooks.sending import Answer
from tests.approvals.asking import ask_for, decide
from tests.cast import AgentCaller


def has_receiver(agent: AgentCaller) -> None:
    """Give an instance a receiver, as provisioning does."""
    made = issue_provisioner(actor="person:ada", environment="dev", agent="triage", name="ci").provisioner
    ProvisionedInstance.objects.create(
        provisioner=made, instance=agent.instance, display_name="x", idempotency_key="k", submission_digest="",
        sealed_result="", created_at=timezone.now(),
    )  # fmt: skip
    WebhookReceiver.objects.create(
        instance=agent.instance, url="https://receiver.example/events", registration_id=uuid4(),
        sealed_secret=seal("whsec_" + "A" * 43 + "=", PURPOSE), verified_at=timezone.now(),
    )  # fmt: skip


@pytest.fixture
def told(agent: AgentCaller, operator: User) -> Notification:
    """The notification of a decided action whose instance has a receiver."""
    has_receiver(agent)
    decide(operator, ask_for(agent))
    return Notification.objects.get()


class Scripted:
    """Answers as it is told to, and keeps what it got."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.got: list[tuple[str, bytes]] = []
        self.limits: list[float] = []

    def __call__(self, url: str, *, message_id: str, body: bytes, secret: str, within_s: float) -> Answer:
        self.got.append((message_id, body))
        self.limits.append(within_s)
        return self.answers.pop(0)


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Scripted:
    made = Scripted()
    monkeypatch.setattr(delivering, "post_signed", made)
    return made
