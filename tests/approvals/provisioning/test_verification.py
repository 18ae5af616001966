"""A receiver proves that it wants to be called before anything is made or changed, once per key, whoever asks at once."""

import json
from collections.abc import Callable
from threading import Event, Thread
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import connection

from approvals.models import Action, Notification, ProvisionedInstance, Provisioner, WebhookReceiver
from approvals.services import turns
from approvals.services.delivering import deliver
from approvals.services.turns import turn_of
from runs.models import AgentInstance
from tests.approvals.asking import decide
from tests.approvals.provisioning.conftest import Caller, code
from tests.approvals.webhooks.receivers import Receiver, honest, receiving

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_receiver_is_asked_once_and_its_secret_told_to_nobody(provisioner: Caller, receiver: Receiver):
    made = provisioner.make(delivery=receiver.delivery)
    again = provisioner.make(delivery=receiver.delivery)
    assert (made.status_code, again.status_code) == (201, 200)
    (message,) = receiver.got
    assert message["instance_id"] == made.json()["instance"]["id"]
    assert message["registration_id"] == receiver.registration_id
    shown = {"type": "webhook", "url": receiver.url, "registration_id": receiver.registration_id}
    assert made.json()["instance"]["delivery"] == shown
    assert receiver.secret not in WebhookReceiver.objects.get().sealed_secret


def echoed(message: dict[str, Any], **more: Any) -> bytes:
    return json.dumps({"challenge": message["challenge"], **more}).encode()


FORGERIES: dict[str, Callable[[dict[str, Any]], tuple[int, bytes]]] = {
    "a bare 200": lambda _message: (200, b""),
    "another 2xx": lambda message: (201, echoed(message)),
    "another challenge": lambda _message: (200, json.dumps({"challenge": str(uuid4())}).encode()),
    "its message's id": lambda message: (200, json.dumps({"challenge": message["id"]}).encode()),
    "the challenge in capitals": lambda message: (200, echoed(message).upper()),
    "the challenge and more": lambda message: (200, echoed(message, more=1)),
    "the challenge in a list": lambda message: (200, b"[" + echoed(message) + b"]"),
    "a redirect": lambda message: (307, echoed(message)),
    "depth": lambda _message: (200, b"[" * 60_000),
    "bytes": lambda _message: (200, b"\xff\xfe\x00"),
    "too much": lambda message: (200, b" " * 70_000 + echoed(message)),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_an_answer_that_proves_nothing_makes_nothing_and_may_be_tried_again(
    provisioner: Caller, receiver: Receiver, forgery: str
):
    receiver.reply = FORGERIES[forgery]
    assert code(provisioner.make(delivery=receiver.delivery)) == (422, "webhook_verification_failed")
    assert len(receiver.got) == 1
    assert not AgentInstance.objects.exists()
    assert not ProvisionedInstance.objects.exists()
    receiver.reply = honest
    assert provisioner.make(delivery=receiver.delivery).status_code == 201


def test_nobody_listens(provisioner: Caller, receiver: Receiver):
    with receiving() as gone:
        pass
    assert code(provisioner.make(delivery=gone.delivery)) == (422, "webhook_verification_failed")


def test_a_change_that_fails_changes_nothing(provisioner: Caller, receiver: Receiver):
    made = provisioner.make(instance_name="old", delivery=receiver.delivery).json()["instance"]
    receiver.reply = FORGERIES["a bare 200"]
    told = provisioner.change(made["id"], instance_name="new", delivery=receiver.register_anew())
    assert code(told) == (422, "webhook_verification_failed")
    assert provisioner.read(made["id"]).json() == made


def test_deletion_comes_before_a_change_that_is_being_verified(provisioner: Caller, receiver: Receiver):
    made = provisioner.make().json()["instance"]["id"]

    def deleting(message: dict[str, Any]) -> tuple[int, bytes]:
        provisioner.delete(made)
        connection.close()
        return honest(message)

    receiver.reply = deleting
    assert provisioner.change(made, delivery=receiver.delivery).status_code == 404
    assert not WebhookReceiver.objects.exists()


def notified(provisioner: Caller, receiver: Receiver, operator: User) -> tuple[str, Notification]:
    """An instance with the receiver, and what it is to be told."""
    body = provisioner.make(delivery=receiver.delivery).json()
    asked = Caller(body["credential"]["token"]).ask().json()["id"]
    decide(operator, Action.objects.get(id=asked))
    return body["instance"]["id"], Notification.objects.get()


def test_what_is_queued_goes_to_the_receiver_of_the_moment(provisioner: Caller, receiver: Receiver, operator: User):
    made, queued = notified(provisioner, receiver, operator)
    with receiving() as second:
        provisioner.change(made, delivery=second.delivery)
        assert deliver(queued.id)
        assert second.got[-1] == json.loads(queued.body)
    assert receiver.kinds() == ["webhook.verification"]


def test_without_a_receiver_nothing_is_delivered_any_more(provisioner: Caller, receiver: Receiver, operator: User):
    made, queued = notified(provisioner, receiver, operator)
    assert "delivery" not in provisioner.change(made, delivery=None).json()
    assert not deliver(queued.id)
    queued.refresh_from_db()
    assert queued.end_reason == "the receiver was removed"
    assert receiver.kinds() == ["webhook.verification"]


class Gate:
    """Holds the first call at the receiver until the second waits for its turn; then both go on."""

    def __init__(self) -> None:
        self.at_receiver, self.in_line, self.is_open = Event(), Event(), Event()

    def reply(self, message: dict[str, Any]) -> tuple[int, bytes]:
        """The receiver's reply to the first call."""
        self.at_receiver.set()
        self.is_open.wait()
        return honest(message)

    def sleep(self, _seconds: float) -> None:
        """The second call's wait."""
        self.in_line.set()
        self.is_open.wait()

    def both(self, call: Callable[[], Any]) -> list[Any]:
        """What the two calls answer."""
        answers: list[Any] = []

        def calling() -> None:
            answers.append(call())
            connection.close()

        threads = [Thread(target=calling) for _ in range(2)]
        for thread, arrived in zip(threads, (self.at_receiver, self.in_line), strict=True):
            thread.start()
            assert arrived.wait(10)
        self.is_open.set()
        for thread in threads:
            thread.join()
        return answers


@pytest.mark.parametrize("verb", ["make", "change"])
def test_two_calls_at_once_with_one_key_are_one(
    provisioner: Caller, receiver: Receiver, verb: str, monkeypatch: pytest.MonkeyPatch
):
    target = [provisioner.make(key="first").json()["instance"]["id"]] if verb == "change" else []
    gate = Gate()
    monkeypatch.setattr("approvals.services.turns.time.sleep", gate.sleep)
    receiver.reply = gate.reply
    answers = gate.both(lambda: getattr(provisioner, verb)(*target, key="same", delivery=receiver.delivery))
    assert receiver.kinds() == ["webhook.verification"]
    assert answers[0].json() == answers[1].json()
    assert AgentInstance.objects.count() == 1


def test_a_key_that_is_taken_for_too_long_is_told_so(
    provisioner: Caller, ci: Provisioner, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(turns, "WAIT_S", 0.0)
    with turn_of(f"provision:{ci.id}:same"):
        refused = provisioner.make(key="same")
    assert code(refused) == (409, "in_progress")
    assert refused.headers["Retry-After"] == "5"
    assert provisioner.make(key="same").status_code == 201


class Forgetful:
    """A cache that keeps nothing."""

    def add(self, _name: str, _value: object, timeout: float) -> bool:
        """Nobody has it."""
        return True

    def get(self, _name: str) -> None:
        """Nothing."""

    def delete(self, _name: str) -> None:
        """Nothing to delete."""


def test_a_forgotten_turn_still_makes_one_instance(
    provisioner: Caller, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("approvals.services.turns.cache", Forgetful())
    answers: list[Any] = []

    def while_another(message: dict[str, Any]) -> tuple[int, bytes]:
        receiver.reply = honest
        answers.append(provisioner.make(delivery=receiver.delivery))
        connection.close()
        return honest(message)

    receiver.reply = while_another
    answers.append(provisioner.make(delivery=receiver.delivery))
    assert sorted(response.status_code for response in answers) == [200, 201]
    assert answers[0].json() == answers[1].json()
    assert AgentInstance.objects.count() == 1
