"""The outbox: written with the decision, one attempt at a time, to the end."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.utils import timezone

from approvals.models import Action, Notification, Verdict, WebhookReceiver
from approvals.services import delivering
from approvals.services.delivering import deliver, deliver_due, pause_s
from approvals.services.ending import cancel_action, expire_due_actions
from approvals.webhooks.sending import Answer
from runs.queries.shapes import iso
from tests.approvals.asking import ask_for, decide
from tests.approvals.webhooks.conftest import Scripted, has_receiver
from tests.cast import AgentCaller

pytestmark = pytest.mark.django_db


def test_it_is_written_with_the_decision_and_says_nothing_of_it(told: Notification):
    import json

    action = Action.objects.get()
    assert action.decided_at is not None
    body = json.loads(told.body)
    assert set(body) == {"id", "type", "instance_id", "request_id", "created_at"}
    assert (body["id"], body["request_id"], body["created_at"]) == (
        str(told.id),
        str(action.id),
        iso(action.decided_at),
    )


def test_it_is_sent_again_letter_for_letter_until_acknowledged(told: Notification, receiver: Scripted):
    receiver.answers = [Answer(500), Answer(0, error="no answer in time"), Answer(204)]
    now = timezone.now()
    for number in range(3):
        with time_machine.travel(now + timedelta(minutes=number), tick=False):
            assert deliver(told.id) is (number == 2)
            assert deliver(told.id) is False
    assert len(set(receiver.got)) == 1
    assert len(receiver.got) == 3
    told.refresh_from_db()
    assert (told.end_reason, told.attempts) == ("acknowledged", 3)


def test_what_the_receiver_asks_for_is_waited(told: Notification, receiver: Scripted):
    receiver.answers = [Answer(503, retry_after_s=900.0)]
    deliver(told.id)
    told.refresh_from_db()
    assert told.next_attempt_at - timezone.now() > timedelta(seconds=890)


def test_after_a_week_it_is_given_up(told: Notification, receiver: Scripted):
    receiver.answers = [Answer(500)]
    with time_machine.travel(told.give_up_at - timedelta(seconds=1), tick=False):
        deliver(told.id)
    told.refresh_from_db()
    assert told.end_reason == "nobody acknowledged it in time"


def test_a_removed_receiver_is_told_nothing(told: Notification, receiver: Scripted):
    WebhookReceiver.objects.all().delete()
    deliver(told.id)
    told.refresh_from_db()
    assert (receiver.got, told.end_reason) == ([], "the receiver was removed")


def test_an_attempt_under_way_is_the_only_one_until_its_worker_is_dead(told: Notification, receiver: Scripted):
    receiver.answers = [Answer(204)]
    Notification.objects.update(attempt_until=timezone.now() + delivering.LEASE)
    assert deliver(told.id) is False
    assert deliver_due() == 0
    with time_machine.travel(timezone.now() + delivering.LEASE + timedelta(seconds=1), tick=False):
        assert deliver_due() == 1
        assert deliver(told.id) is True


def test_pauses_grow_to_an_hour():
    waits = [pause_s(attempts) for attempts in range(1, 40)]
    assert waits[0] <= 5
    assert max(waits) <= 3600
    assert min(waits[-5:]) >= 1800


def test_an_instance_without_a_receiver_has_no_notification(agent: AgentCaller, operator: User):
    decide(operator, ask_for(agent))
    assert not Notification.objects.exists()


def test_the_secret_is_nowhere_to_be_read(told: Notification, admin: User, sign_in: Any):
    stored = WebhookReceiver.objects.get().sealed_secret
    assert "whsec_" not in stored
    page = sign_in(admin).get(f"/approvals/{Action.objects.get().id}/evidence.json").content.decode()
    assert "whsec_" not in page


def test_the_first_attempt_is_handed_to_a_worker_with_the_commit(
    agent: AgentCaller, operator: User, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
):
    handed: list[dict[str, str]] = []
    monkeypatch.setattr("approvals.tasks.deliver_notification.apply_async", lambda **how: handed.append(how["kwargs"]))
    has_receiver(agent)
    with django_capture_on_commit_callbacks(execute=True):
        decide(operator, ask_for(agent))
    assert handed == [{"notification_id": str(Notification.objects.get().id)}]


def test_whatever_ends_an_action_is_told_once(agent: AgentCaller, operator: User):
    has_receiver(agent)
    for action in [ask_for(agent), ask_for(agent), ask_for(agent)]:
        cancel_action(instance=agent.instance, action_id=action.id)
        cancel_action(instance=agent.instance, action_id=action.id)
    decide(operator, ask_for(agent), Verdict.DENY)
    with time_machine.travel(ask_for(agent).deadline_at, tick=False):
        assert expire_due_actions() == 1
    assert Notification.objects.count() == 5


def test_an_attempt_ends_with_the_week(told: Notification, receiver: Scripted):
    receiver.answers = [Answer(500)]
    with time_machine.travel(told.give_up_at - timedelta(seconds=4), tick=False):
        deliver(told.id)
    assert receiver.limits == [4.0]


def test_what_nobody_could_send_for_a_week_is_not_sent_any_more(told: Notification, receiver: Scripted, logged: Any):
    with time_machine.travel(told.give_up_at, tick=False):
        assert deliver_due() == 1
        assert deliver(told.id) is False
    told.refresh_from_db()
    assert (receiver.got, told.end_reason) == ([], "nobody acknowledged it in time")
    assert len(logged("WEBHOOK_GAVE_UP")) == 1
