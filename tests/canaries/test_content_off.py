"""With its content off, an agent's runs keep their structure and none of their texts."""

import json
import time
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client

from agentconsole.rpc_status import JSON
from approvals.models import AuditEntry
from runs.models import Agent, Run, Span, TraceEvent
from tests.canaries.planting import Plants, native_items, otlp_export, rows
from tests.cast import AgentCaller
from tests.ingest.items import ended, new_run, span
from tests.otlp.sending import post
from tests.pages.reading import html_of

SignIn = Callable[[User], Client]
# Names and who asked are structure.
NAMES = frozenset({
    "phase", "span.name", "span.agent", "subject", "on_behalf_of", "session_id", "run.attributes.key", "span.attributes.key",
    "event.fields.key", "hint.fallback_to", "attempt", "hint.reason", "detail", "startup.version", "startup.reason", "startup.host",
})  # fmt: skip


class Plain(Plants):
    """Texts that are no secrets: only content being off keeps them out."""

    def __call__(self, place: str) -> str:
        super().__call__(place)
        return f"said {self.places[place]}"


@pytest.fixture
def quiet_agent(agent: AgentCaller) -> AgentCaller:
    """An agent whose content is off."""
    Agent.objects.update(keeps_content=False)
    agent.instance.refresh_from_db()
    return agent


def test_no_text_of_a_native_run_is_kept(quiet_agent: AgentCaller):
    plant = Plain("token")
    assert quiet_agent.send(*native_items(plant)).json()["rejected"] == []
    assert set(plant.found_in(rows())) <= NAMES
    assert Span.objects.get().outcome == "error"
    assert Run.objects.get().query.startswith("[CONTENT OFF: 41 characters, digest ")


def test_no_text_of_a_traced_run_is_kept(quiet_agent: AgentCaller):
    plant = Plain("token")
    spans, logs = otlp_export(plant, time.time_ns())
    post(quiet_agent, json.dumps(spans).encode(), JSON)
    post(quiet_agent, json.dumps(logs).encode(), JSON, "/v1/logs")
    found = set(plant.found_in(rows()))
    assert not found & {
        "gen_ai.tool.call.arguments",
        "gen_ai.tool.call.result",
        "body",
        "exception.message",
        "input.value",
    }
    assert not found & {place for place in plant.places if place.endswith((".text", ".list", ".map"))}
    assert (Span.objects.count(), TraceEvent.objects.count()) == (1, 1)


def test_outcomes_are_those_that_content_told(quiet_agent: AgentCaller):
    run = new_run()
    quiet_agent.send(ended(span(run), "empty", result=""), ended(span(run), result={"a": 1}), ended(span(run)))
    kept = {one.outcome: one.result for one in Span.objects.order_by("outcome", "result")}
    assert kept["empty"] == ""
    assert [one.result is None for one in Span.objects.filter(outcome="ok").order_by("result")].count(True) == 1


def test_the_same_text_has_the_same_digest(quiet_agent: AgentCaller):
    run = new_run()
    quiet_agent.send(*(ended(span(run), result=text) for text in ("one text", "one text", "another")))
    assert len(set(Span.objects.values_list("result", flat=True))) == 2


def test_an_admin_switches_it_and_the_audit_log_says_so(agent: AgentCaller, admin: User, sign_in: SignIn):
    client = sign_in(admin)
    assert client.post("/agents/dev/triage/content", {"keeps": "off"}).status_code == 302
    assert not Agent.objects.get(name="triage").keeps_content
    assert AuditEntry.objects.filter(token="CONTENT_SWITCHED").count() == 1
    agent.send(ended(span(new_run()), result="shipped"))
    page = html_of(client.get(f"/runs/{Run.objects.get().id}/"))
    assert "Content is off for this agent" in page
    assert "shipped" not in page


def test_an_operator_may_not(agent: AgentCaller, operator: User, sign_in: SignIn):
    assert sign_in(operator).post("/agents/dev/triage/content", {"keeps": "off"}).status_code == 403
    assert Agent.objects.get(name="triage").keeps_content
