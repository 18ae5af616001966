"""Paste any ID, whole or its beginning, and be there."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from agentconsole.protocol.ids import new_span_id, new_trace_id
from runs.models import Environment, Span
from runs.queries.search import HITS_A_KIND, search
from tests.cast import AgentCaller
from tests.ingest.items import span
from tests.pages.reading import html_of
from tests.pages.runs import ago, send_run

SignIn = Callable[[User], Client]
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"


@pytest.fixture
def run(agent: AgentCaller) -> str:
    call = {**span("", at=ago(50), name="lookup"), "id": SPAN}
    return send_run(agent, call, request_id="req_01mzzzzzz", trace_id=TRACE)


@pytest.fixture
def client(viewer: User, sign_in: SignIn) -> Client:
    return sign_in(viewer)


def target(client: Client, text: str) -> str:
    return client.get("/search/", {"q": text}).headers.get("Location", "")


@pytest.mark.parametrize("text", ["req_01mzzzzzz", "  req_01mzzzzzz ", '"req_01mzzzzzz"', "req_01mz"])
def test_a_request_id_leads_to_its_runs(text: str, run: str, client: Client):
    assert target(client, text) == "/r/req_01mzzzzzz"


def test_a_run_id_leads_to_the_run_in_any_spelling(run: str, client: Client):
    assert target(client, run) == f"/runs/{run}/"
    assert target(client, run.upper().replace("-", "")) == f"/runs/{run}/"
    assert target(client, run[:23]) == f"/runs/{run}/"


@pytest.mark.parametrize("text", [TRACE, TRACE.upper(), TRACE[:9]])
def test_a_trace_id_leads_to_its_run(text: str, run: str, client: Client):
    assert target(client, text) == f"/runs/{run}/"


@pytest.mark.parametrize("text", [SPAN, SPAN[:7]])
def test_a_span_id_leads_to_the_span_in_its_run(text: str, run: str, client: Client):
    assert target(client, text) == f"/runs/{run}/?span={SPAN}"


def test_several_hits_are_listed_with_what_they_are(agent: AgentCaller, run: str, client: Client):
    send_run(agent, request_id="req_01mzzzaaa")
    page = html_of(client.get("/search/?q=req_01mzzz"))
    assert 'href="/r/req_01mzzzzzz"' in page
    assert 'href="/r/req_01mzzzaaa"' in page
    assert "<td>request</td>" in page


def test_a_whole_id_is_not_confused_by_longer_ones(agent: AgentCaller, run: str, client: Client):
    send_run(agent, request_id="req_01mzzzzzzz")
    assert target(client, "req_01mzzzzzz") == "/r/req_01mzzzzzz"


def test_upper_and_lower_case_are_two_request_ids(agent: AgentCaller, client: Client):
    send_run(agent, request_id="Case-One")
    assert target(client, "Case-One") == "/r/Case-One"
    assert target(client, "case-One") == ""


@pytest.mark.parametrize("text", ["req_nothing", "%", "____", "4bf9_", "ab", "", "日本語", "x" * 5000, "a' OR 1=1 --"])
def test_what_is_not_there_is_said_so(text: str, run: str, client: Client):
    response = client.get("/search/", {"q": text})
    assert response.status_code == 200
    assert "Find a run by any ID" in html_of(response) or "Nothing has the ID" in html_of(response)


def test_nothing_of_an_environment_that_is_not_visible_is_found(foreign_agent: AgentCaller, client: Client):
    call = {**span("", at=ago(50)), "id": SPAN}
    run = send_run(foreign_agent, call, request_id="req_hidden", trace_id=TRACE)
    Environment.objects.filter(name="prod").update(is_restricted=True)
    assert [target(client, text) for text in ("req_hidden", "req_hid", run, TRACE, TRACE[:8], SPAN, SPAN[:8])] == [
        ""
    ] * 7


def test_a_beginning_that_many_share_is_cut_and_says_so(agent: AgentCaller, client: Client):
    for number in range(HITS_A_KIND + 1):
        send_run(agent, request_id=f"many-{number:02}")
    page = html_of(client.get("/search/?q=many-"))
    assert page.count('href="/r/many-') == HITS_A_KIND
    assert "Type more of it" in page


@pytest.mark.parametrize(
    ("text", "queries"), [("req_01mzzzzzz", 1), (TRACE, 3), (SPAN, 2), ("req_01mz", 2), ("4bf92f35", 5)]
)
def test_a_search_costs_a_fixed_number_of_queries(
    text: str, queries: int, run: str, django_assert_num_queries: Callable[..., Any]
):
    with django_assert_num_queries(queries):
        assert search(text, ["dev"]).hits


def test_the_same_span_id_in_two_runs_is_two_hits(agent: AgentCaller, run: str, client: Client):
    other = send_run(agent, {**span("", at=ago(50)), "id": SPAN}, trace_id=new_trace_id())
    assert Span.objects.filter(span_id=SPAN).count() == 2
    page = html_of(client.get(f"/search/?q={SPAN}"))
    assert f"/runs/{run}/?span={SPAN}" in page
    assert f"/runs/{other}/?span={SPAN}" in page
    assert target(client, new_span_id()) == ""
