"""A run's page says where a traced run comes from, what a reader must know of it, and why its spans are shown so."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from runs.models import Run
from tests.cast import AgentCaller
from tests.placing.exports import exports_of, new_trace, span, store, store_spans
from traces.otlp.shapes import Scope
from traces.services.settling import settle_traced_runs

pytestmark = pytest.mark.django_db
AGENT = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "planner", "request.id": "req-1"}
TOOL = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search", "gen_ai.tool.call.id": "call_7"}


@pytest.fixture
def browser(viewer: User, sign_in: Callable[[User], Client]) -> Client:
    """Vera's."""
    return sign_in(viewer)


def page_of(browser: Client, run: Run, **params: str) -> str:
    return " ".join(browser.get(f"/runs/{run.id}/", params).content.decode().split())


def settle() -> None:
    with time_machine.travel(timezone.now() + timedelta(minutes=10), tick=False):
        settle_traced_runs()


def test_the_head_names_its_source_and_the_runs_beside_it(browser: Client, agent: AgentCaller):
    made_by = Scope("some-framework", "2.1")
    store_spans(
        agent.instance, span(new_trace(), 1, attributes=AGENT, scope=made_by), span(new_trace(), 1, attributes=AGENT)
    )
    page = page_of(browser, Run.objects.get(source__by="some-framework 2.1"))
    assert "OTLP · some-framework 2.1" in page
    assert "planner" in page
    assert "2 runs of this request" in page
    assert "The start of this run was not received" not in page


def test_what_is_missing_is_told(browser: Client, agent: AgentCaller):
    store_spans(
        agent.instance, span(new_trace(), 2, 1, attributes={**TOOL, "error.type": "TimeoutError"}, status_code=2)
    )
    settle()
    page = page_of(browser, Run.objects.get())
    assert "The root of this trace was not received" in page
    assert "with 1 failed tool call" in page


def test_the_drawer_says_why(browser: Client, agent: AgentCaller):
    store_spans(agent.instance, span(new_trace(), 1, attributes=TOOL))
    page = page_of(browser, Run.objects.get(), span=f"{1:016x}")
    assert 'Mapped as <span class="quiet">tool</span>' in page
    assert "gen_ai.tool.name" in page
    assert "call_7" in page


def test_a_text_that_is_kept_elsewhere_is_a_link(browser: Client, agent: AgentCaller):
    store(exports_of("pydantic_ai"), agent.instance)
    run = Run.objects.get()
    repeated = run.spans.get(name="supplier_agent")
    kept = run.spans.get(name="ask_supplier")
    page = page_of(browser, run, span=repeated.span_id)
    assert "10,672 characters" in page
    assert f"span={kept.span_id}" in page
