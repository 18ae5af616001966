"""One attempt: when the next is, what a crowded host costs, and workers that die."""

from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from approvals.models import Notification
from approvals.services import delivering, turns
from approvals.services.delivering import deliver, deliver_due
from approvals.webhooks.sending import Answer
from tests.approvals.webhooks.conftest import Scripted

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("status", "is_heeded"), [(429, True), (503, True), (500, False), (302, False)])
def test_retry_after_is_heeded_where_the_protocol_says_so(
    told: Notification, receiver: Scripted, status: int, is_heeded: bool
):
    receiver.answers = [Answer(status, retry_after_s=7200.0)]
    deliver(told.id)
    told.refresh_from_db()
    assert (told.next_attempt_at - timezone.now() > timedelta(seconds=7100)) is is_heeded


def test_a_wait_beyond_the_week_is_the_end(told: Notification, receiver: Scripted):
    receiver.answers = [Answer(503, retry_after_s=999_999_999.0)]
    deliver(told.id)
    told.refresh_from_db()
    assert (told.end_reason, told.last_status) == ("nobody acknowledged it in time", 503)


def test_a_host_whose_places_are_taken_costs_no_attempt(told: Notification, receiver: Scripted):
    with ExitStack() as busy:
        for _ in range(turns.HOST_AT_ONCE):
            busy.enter_context(turns.place_at("receiver.example"))
        assert deliver(told.id) is False
        with turns.place_at("other.example"):
            pass
    told.refresh_from_db()
    assert (receiver.got, told.attempts, told.attempt_until, told.ended_at) == ([], 0, None, None)
    receiver.answers = [Answer(204)]
    with time_machine.travel(told.next_attempt_at, tick=False):
        assert deliver(told.id) is True


def test_a_host_has_one_rate_for_all_who_name_it(told: Notification, receiver: Scripted, monkeypatch: Any):
    monkeypatch.setattr(turns, "HOST_RATE", 1)
    with time_machine.travel(timezone.now(), tick=False):
        with turns.place_at("receiver.example"):
            pass
        assert deliver(told.id) is False
    assert receiver.got == []


def test_a_worker_that_was_thought_dead_changes_nothing_of_the_next_attempt(
    told: Notification, monkeypatch: pytest.MonkeyPatch
):
    until = timezone.now() + 3 * delivering.LEASE

    def late(*_args: Any, **_more: Any) -> Answer:
        Notification.objects.update(attempt_until=until)
        return Answer(500)

    monkeypatch.setattr(delivering, "post_signed", late)
    deliver(told.id)
    told.refresh_from_db()
    assert (told.attempt_until, told.attempts, told.ended_at) == (until, 0, None)


def test_an_acknowledgement_counts_even_if_it_came_late(told: Notification, monkeypatch: pytest.MonkeyPatch):
    def late(*_args: Any, **_more: Any) -> Answer:
        Notification.objects.update(attempt_until=timezone.now() + 3 * delivering.LEASE)
        return Answer(200)

    monkeypatch.setattr(delivering, "post_signed", late)
    assert deliver(told.id) is True
    assert not Notification.objects.filter(ended_at=None).exists()


def test_a_worker_that_dies_between_the_attempt_and_its_record_is_followed_by_another(
    told: Notification, monkeypatch: pytest.MonkeyPatch, receiver: Scripted
):
    def killed(*_args: Any) -> bool:
        raise SystemExit

    receiver.answers = [Answer(204), Answer(204)]
    with monkeypatch.context() as patch:
        patch.setattr(delivering, "_settle", killed)
        with pytest.raises(SystemExit):
            deliver(told.id)
    assert (deliver_due(), deliver(told.id)) == (0, False)
    with time_machine.travel(timezone.now() + delivering.LEASE + timedelta(seconds=1), tick=False):
        assert (deliver_due(), deliver(told.id)) == (1, True)
    assert receiver.got[0] == receiver.got[1]


def test_a_name_that_leads_inside_by_now_is_told_and_tried_again(told: Notification, receiver: Scripted, logged: Any):
    receiver.answers = [Answer(0, error="refused address", is_refused=True)]
    deliver(told.id)
    (line,) = logged("WEBHOOK_REFUSED_ADDRESS")
    assert line["host"] == "receiver.example"
    told.refresh_from_db()
    assert (told.ended_at, told.attempts) == (None, 1)


def test_no_line_tells_a_url_or_a_secret(told: Notification, receiver: Scripted, caplog: pytest.LogCaptureFixture):
    caplog.set_level("DEBUG")
    receiver.answers = [Answer(500), Answer(204)]
    deliver(told.id)
    with time_machine.travel(timezone.now() + timedelta(minutes=1), tick=False):
        assert deliver(told.id)
    lines = " ".join(str(record.msg) for record in caplog.records)
    assert "WEBHOOK_FAILED" in lines
    assert "WEBHOOK_DELIVERED" in lines
    assert "/events" not in lines
    assert "whsec_" not in lines
