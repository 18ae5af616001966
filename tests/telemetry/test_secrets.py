"""Planted where secrets get to, none is in what the collectors received."""

import base64
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from agentconsole import telemetry
from agentconsole.logconf import get_logger
from agentconsole.protocol.context import RequestContext, Transport, bound_context
from agentconsole.telemetry.cleaning import statement
from tests.telemetry.collectors import Collector

pytestmark = [pytest.mark.usefixtures("started"), pytest.mark.django_db(transaction=True)]
log = get_logger(__name__)
SECRET = "hunter2-hunter2"


def received(collector: Collector) -> bytes:
    """Every byte, once everything is delivered."""
    telemetry.stop()
    assert collector.spans()
    return collector.everything


def _break(*args: Any, **kwargs: Any) -> None:
    known_only_here = SECRET
    raise RuntimeError(f"nobody knows that {known_only_here} is one")


def test_of_a_request_neither_query_nor_headers_nor_body_nor_what_broke_it(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("django.contrib.auth.views.LoginView.form_invalid", _break)
    browser = Client()
    browser.cookies["session"] = SECRET
    browser.post(
        f"/login/?token={SECRET}",
        {"username": "vera", "password": SECRET},
        headers={"Authorization": f"Bearer {SECRET}", "User-Agent": SECRET, "Referer": f"http://{SECRET}/"},
    )
    left = received(collector)
    assert collector.events()
    assert SECRET.encode() not in left
    assert base64.b64encode(SECRET.encode()) not in left


def test_of_sql_neither_parameters_nor_what_is_quoted_in_it(collector: Collector):
    context = RequestContext.mint(Transport.WEB)
    with telemetry.request_span(context, method="GET", path="/", traceparent=""), connection.cursor() as cursor:
        cursor.execute(f"SELECT %s, '{SECRET}'", [SECRET])
    left = received(collector)
    assert SECRET.encode() not in left
    assert collector.span("SELECT").attributes["db.query.text"] == "SELECT %s, ?"


def test_of_a_failed_query_its_type_alone(collector: Collector):
    context = RequestContext.mint(Transport.WEB)
    with (
        telemetry.request_span(context, method="GET", path="/", traceparent=""),
        connection.cursor() as cursor,
        pytest.raises(Exception, match="no_such_table"),
    ):
        cursor.execute("SELECT %s FROM no_such_table", [SECRET])
    assert SECRET.encode() not in received(collector)
    assert collector.span("SELECT").attributes["error.type"] in ("OperationalError", "ProgrammingError")


def test_what_this_process_was_given_to_keep_and_what_looks_like_a_secret(collector: Collector, settings: Any):
    settings.METRICS_TOKEN = SECRET
    context = RequestContext.mint(Transport.WEB)
    with (
        telemetry.request_span(context, method=f"GET {SECRET}", path="/", traceparent="") as traced,
        bound_context(traced),
        telemetry.task_span(traced, task="Bearer abcdef123456789", task_id="1", traceparent=None, begins=True),
    ):
        try:
            raise ConnectionRefusedError(111, f"redis://user:{SECRET}@host/0 refused password={SECRET}")
        except OSError:
            log.exception("TASK_FAILED")
    left = received(collector)
    assert SECRET.encode() not in left
    assert b"abcdef123456789" not in left
    assert b"refused" in left


@pytest.mark.parametrize(
    ("sql", "shown"),
    [
        ("SELECT\n  1", "SELECT 1"),
        ("SELECT 'it''s', x", "SELECT ?, x"),
        ("SELECT 'never closed", "SELECT ?"),
        ("SELECT " + "x" * 3000, ("SELECT " + "x" * 3000)[:2000]),
    ],
)
def test_a_statement_is_shown_on_one_line_without_literals(sql: str, shown: str):
    assert statement(sql) == shown
