"""The outbox is proven by its sweep, and by nothing that waits for long."""

from datetime import timedelta

import pytest
from django.utils import timezone

from agentconsole.models import ComponentBeat
from approvals.models import Notification
from approvals.queries.outbox import oldest_due_at
from approvals.services import delivering
from approvals.tasks import deliver_due_notifications
from tests.approvals.webhooks.conftest import told

pytestmark = pytest.mark.django_db
__all__ = ["told"]


def test_the_sweep_leaves_its_beat_at_its_end(monkeypatch: pytest.MonkeyPatch):
    deliver_due_notifications()
    assert ComponentBeat.objects.get(component="outbox").detail == "0 handed out"
    ComponentBeat.objects.all().delete()
    monkeypatch.setattr(delivering, "deliver_due", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        deliver_due_notifications()
    assert not ComponentBeat.objects.exists()


def test_what_is_due_counts_from_when_it_was(told: Notification, django_assert_num_queries):
    due_at = timezone.now() - timedelta(minutes=5)
    Notification.objects.update(next_attempt_at=due_at)
    with django_assert_num_queries(1):
        assert oldest_due_at() == due_at


@pytest.mark.parametrize("field", ["attempt_until", "next_attempt_at", "ended_at"])
def test_what_is_attempted_or_later_or_over_does_not(told: Notification, field: str):
    past = timezone.now() - timedelta(minutes=5)
    Notification.objects.update(next_attempt_at=past)
    Notification.objects.update(**{field: timezone.now() + timedelta(minutes=1)})
    assert oldest_due_at() is None
