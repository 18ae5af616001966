"""Tasks go to the broker after the commit, inside their request's context, and never harm the one who asked."""

from collections.abc import Callable
from typing import Any

import pytest
from celery import Celery, shared_task
from django.db import transaction

from agentconsole.celery import CONTEXT_HEADER
from agentconsole.jobs import enqueue_on_commit
from agentconsole.protocol.context import RequestContext, Transport, bound_context

Lines = Callable[[str], list[dict[str, Any]]]
Sent = Callable[[], list[dict[str, Any]]]


@shared_task
def errand(name: str = "") -> None:
    """Nothing; it is never run here."""


@pytest.mark.django_db(transaction=True)
def test_a_task_waits_for_the_commit(sent: Sent):
    with transaction.atomic():
        enqueue_on_commit(errand, name="one")
        assert sent() == []
    assert [message["task"] for message in sent()] == [errand.name]


@pytest.mark.django_db(transaction=True)
def test_a_rolled_back_task_is_never_sent(sent: Sent):
    with transaction.atomic():
        enqueue_on_commit(errand)
        transaction.set_rollback(True)
    assert sent() == []


@pytest.mark.django_db(transaction=True)
def test_a_task_carries_the_whole_context_of_its_request(sent: Sent):
    context = RequestContext.mint(Transport.WEB, actor="user:vera").with_actor("user:vera", environment="prod")
    with bound_context(context):
        enqueue_on_commit(errand)
    (message,) = sent()
    assert RequestContext.from_message(message[CONTEXT_HEADER]) == context


@pytest.mark.django_db(transaction=True)
def test_what_was_sent_is_logged_with_its_request(sent: Sent, logged: Lines):
    with bound_context(RequestContext.mint(Transport.WEB)) as context:
        enqueue_on_commit(errand)
    (line,) = logged("TASK_ENQUEUED")
    assert (line["task"], line["request_id"]) == (errand.name, context.request_id)


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_away_is_logged_and_not_raised(logged: Lines):
    away = Celery("away", broker="redis://127.0.0.1:1/0", set_as_current=False)
    with bound_context(RequestContext.mint(Transport.WEB)) as context:
        enqueue_on_commit(away.task(errand.run))
    (line,) = logged("TASK_ENQUEUE_FAILED")
    assert (line["task"], line["request_id"]) == (errand.name, context.request_id)
    assert "Connection refused" in line["error"]
