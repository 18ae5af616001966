"""What was refused or dropped is in an account by credential, which people see on the agent's page."""

import gzip
import json
import time
from collections.abc import Callable
from datetime import timedelta

from django.contrib.auth.models import User
from django.test import Client

from agentconsole.rpc_status import JSON
from runs.models import RefusedItems
from runs.services.ledger import KEPT_DAYS, Entry, enter_refused, forget_refused
from tests.cast import AgentCaller
from tests.ingest.items import event, new_run, tick
from tests.otlp.sending import post
from tests.pages.reading import html_of

SignIn = Callable[[User], Client]


def account() -> dict[tuple[str, str], int]:
    """Items by door and code."""
    return {(row.door, row.code): row.items for row in RefusedItems.objects.all()}


def test_refused_items_are_counted_by_reason(agent: AgentCaller):
    bad = {**tick(new_run()), "state": "gone"}
    for _ in range(2):
        agent.send(bad, {**bad, "state": "left"}, {"type": "riddle"})
    assert account() == {("ingest", "invalid"): 2, ("ingest", "unknown_type"): 2}
    row = RefusedItems.objects.get(code="invalid")
    assert "state" in row.message
    assert row.item_id == bad["id"]


def test_a_body_that_can_not_be_read_is_one(agent: AgentCaller):
    answer = post(agent, gzip.compress(b"{}")[:-4], "application/json", "/api/v1/ingest", Content_Encoding="gzip")
    assert answer.status_code == 400
    assert list(account()) == [("ingest", answer.json()["error"]["code"])]


def test_refused_spans_are_counted_too(agent: AgentCaller):
    now = str(time.time_ns())
    span = {"traceId": "0" * 32, "spanId": "a" * 16, "name": "x", "startTimeUnixNano": now, "endTimeUnixNano": now}
    body = {"resourceSpans": [{"scopeSpans": [{"spans": [span, span]}]}]}
    post(agent, json.dumps(body).encode(), JSON)
    assert list(account().values()) == [2]
    assert RefusedItems.objects.get().door == "otlp"


def test_what_the_sdk_dropped_is_in_it(agent: AgentCaller):
    agent.send(event(new_run(), "SDK_ITEMS_DROPPED", fields={"items": 37, "reason": "the journal is full"}))
    assert account() == {("ingest", "dropped_by_sdk"): 37}


def test_the_agents_page_shows_it_without_secrets(agent: AgentCaller, viewer: User, sign_in: SignIn):
    enter_refused([Entry("invalid", "password=hunter2hunter2 is odd")], door="ingest", instance=agent.instance)
    page = html_of(sign_in(viewer).get("/agents/dev/triage/"))
    assert "Refused and dropped" in page
    assert "hunter2" not in page


def test_what_a_sender_makes_of_an_id_is_kept_as_one_line(agent: AgentCaller):
    agent.send({"type": "riddle", "id": "a\x00b\nc\ud800"})
    assert RefusedItems.objects.get().item_id.startswith("a\ufffdb\ufffdc")


def test_it_is_forgotten_in_time(agent: AgentCaller):
    enter_refused([Entry("invalid", "odd")], door="ingest", instance=agent.instance)
    assert forget_refused() == 0
    row = RefusedItems.objects.get()
    RefusedItems.objects.update(day=row.day - timedelta(days=KEPT_DAYS + 1))
    assert forget_refused() == 1
