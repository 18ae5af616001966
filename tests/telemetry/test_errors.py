"""What the console logs as an error reaches Sentry with its request's id; what people are told does not."""

import logging
from typing import Any

import pytest
from django.test import Client

from agentconsole import telemetry
from agentconsole.errors import NotFoundError
from agentconsole.logconf import get_logger
from agentconsole.protocol.context import RequestContext, Transport, bound_context
from tests.telemetry.collectors import Collector

pytestmark = pytest.mark.usefixtures("started")
log = get_logger(__name__)


def fail_with(error: Exception) -> None:
    raise error


def _break(*args: Any, **kwargs: Any) -> None:
    raise ZeroDivisionError("a bug")


def events(collector: Collector) -> list[dict[str, Any]]:
    """All of them, once everything is delivered."""
    telemetry.stop()
    return collector.events()


@pytest.mark.django_db
def test_a_request_that_breaks_is_one_event(collector: Collector, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("django.contrib.auth.views.LoginView.get_context_data", _break)
    Client().get("/login/?token=hunter2", headers={"X-Request-ID": "req_three"})
    (event,) = events(collector)
    assert event["message"] == "REQUEST_FAILED"
    assert event["environment"] == "dev"
    assert event["tags"]["request_id"] == "req_three"
    assert len(event["tags"]["trace_id"]) == 32
    (shown,) = event["exception"]["values"]
    assert shown["type"] == "ZeroDivisionError"
    frame = shown["stacktrace"]["frames"][-1]
    assert frame["function"] == "_break"
    assert "vars" not in frame
    assert not {"request", "user", "breadcrumbs", "extra", "modules"} & event.keys()


@pytest.mark.django_db
def test_an_error_that_people_are_told_is_none(collector: Collector):
    assert Client().get("/nowhere").status_code == 404
    try:
        fail_with(NotFoundError("There is no such page."))
    except NotFoundError:
        log.exception("TASK_FAILED")
    assert events(collector) == []


def test_an_error_without_an_exception_is_told_by_its_token(collector: Collector):
    with bound_context(RequestContext.mint(Transport.SCHEDULE)) as context:
        log.error("CHILD_EXITED", code=1)
        log.warning("TASK_ENQUEUE_FAILED")
    (event,) = events(collector)
    assert event["message"] == event["tags"]["log.event"] == "CHILD_EXITED"
    assert event["tags"]["request_id"] == context.request_id


def test_of_other_libraries_lines_only_the_exception_is_told(collector: Collector):
    logging.getLogger("asyncio").error("Task got a bad thing: %s", "payload")
    try:
        fail_with(ZeroDivisionError("payload"))
    except ZeroDivisionError:
        logging.getLogger("asyncio").exception("Task got a bad thing: payload")
    (event,) = events(collector)
    assert event["logger"] == "asyncio"
    assert b"payload" not in collector.everything


def test_a_chain_of_exceptions_is_told_in_the_words_of_each(collector: Collector):
    try:
        try:
            raise ConnectionRefusedError(111, "Connection refused")
        except OSError as error:
            raise ValueError("who knows what") from error
    except ValueError:
        log.exception("TASK_FAILED")
    (event,) = events(collector)
    told = {shown["type"]: shown["value"] for shown in event["exception"]["values"]}
    assert told == {"ConnectionRefusedError": "[Errno 111] Connection refused", "ValueError": ""}
