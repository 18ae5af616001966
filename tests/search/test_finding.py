"""Events and spans of any run are found by their words, by whom may see them, once they are indexed."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from runs.models import Environment, Run
from tests.cast import AgentCaller
from tests.ingest.items import ended, new_run, span
from tests.pages.reading import html_of
from tests.pages.runs import ago, said, send_run
from traces.models import LogText
from traces.queries import search
from traces.queries.counts import counts
from traces.queries.search import matches
from traces.queries.search_filter import SearchFilter, search_filter_of
from traces.services import indexing
from traces.services.indexing import forget_pruned, index_log

SignIn = Callable[[User], Client]


def chosen(query: str, visible: tuple[str, ...] = ("dev", "prod")) -> SearchFilter:
    return search_filter_of(QueryDict(query).dict(), visible, timezone.now())


def names(query: str, visible: tuple[str, ...] = ("dev", "prod")) -> list[str]:
    index_log()
    return [match.name for match in matches(chosen(query, visible)).rows]


def tool_call(name: str = "search_logs", outcome: str = "ok", **more: Any) -> dict[str, Any]:
    return {**span("", name=name, at=ago(50)), "ended_at": ago(49), "outcome": outcome, **more}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=checko", True),
        ('q="pool saturated"', True),
        ('q="saturated pool"', False),
        ("q=saturated+checkout", True),
        ("q=saturated+billing", False),
        ("q=数据", True),
        ("q=据数", False),
        ("q=отмен", True),
        ("q=zurich", True),
        ("q=router", True),
        ("q=eu-west", True),
        ("q=' OR 1=1 --", False),
        ('q="', True),
        ("q=NEAR(checkout", False),
    ],
)
def test_an_event_is_found_by_its_words(query: str, found: bool, agent: AgentCaller):
    message = "checkout: connection pool saturated in Zürich, 数据库 отменён"
    send_run(agent, said("ROUTER_DECISION", message=message, fields={"region": "eu-west"}))
    assert names(query) == (["ROUTER_DECISION"] if found else [])


def test_a_span_is_found_by_its_result_and_by_conditions(agent: AgentCaller):
    send_run(agent, tool_call(result="p95 is 1.2 s"), tool_call("restart", "timeout", message="no answer"))
    assert names("q=p95") == ["search_logs"]
    assert names("tool=restart&outcome=timeout") == ["restart"]
    assert names("tool=restart&outcome=ok") == []
    assert names("agent=triage&q=answer") == ["restart"]
    assert names("agent=nobody&q=answer") == []


def test_a_span_that_ends_later_is_indexed_anew(agent: AgentCaller):
    run = new_run()
    begun = span(run, at=ago(50))
    agent.send(begun)
    assert names("q=shipped") == []
    agent.send(ended({**begun, "ended_at": ago(40)}, result="shipped", ended_at=ago(40)))
    assert names("q=shipped") == ["lookup_order"]
    assert LogText.objects.count() == 1


def test_nothing_of_another_environment_is_found(agent: AgentCaller, foreign_agent: AgentCaller):
    send_run(foreign_agent, said("ROUTER_DECISION", message="saturated"))
    assert names("q=saturated", ("dev",)) == []
    assert names("q=saturated", ()) == []
    assert len(names("q=saturated")) == 1


def test_a_batch_that_does_not_end_leaves_no_gap(agent: AgentCaller, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(indexing, "ROWS_A_BATCH", 3)
    for _ in range(3):
        send_run(agent, *(said("A_TOKEN", message="saturated") for _ in range(5)), *(tool_call() for _ in range(4)))
    index_log()
    assert LogText.objects.filter(kind="event").count() == 15
    assert LogText.objects.filter(kind="tool").count() == 12
    assert index_log() == 0


def test_what_retention_deleted_is_forgotten(agent: AgentCaller):
    send_run(agent, said("A_TOKEN", message="saturated"))
    kept = send_run(agent, said("A_TOKEN", message="saturated"))
    index_log()
    Run.objects.exclude(id=kept).delete()
    assert names("q=saturated") == ["A_TOKEN"]
    assert forget_pruned() == 1
    assert LogText.objects.count() == 1


def test_pages_go_on_where_the_last_one_ended(agent: AgentCaller, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(search, "FOUND_A_PAGE", 2)
    send_run(agent, *(said(f"TOKEN_{n}", message="saturated", at=ago(50 - n)) for n in range(5)))
    index_log()
    seen, before = [], None
    for _ in range(3):
        page = matches(chosen("q=saturated"), before)
        seen += [match.name for match in page.rows]
        before = page.before
    assert sorted(seen) == [f"TOKEN_{n}" for n in range(5)]
    assert before is None


def test_a_look_that_ends_says_how_far_it_went(agent: AgentCaller, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(search, "LOOKED_AT", 3)
    send_run(agent, said("OLD_ONE", message="saturated", level="error"))
    send_run(agent, *(said("A_TOKEN", message="saturated") for _ in range(4)))
    index_log()
    page = matches(chosen("q=saturated&level=error"))
    assert (page.rows, bool(page.before), bool(page.looked_back_to)) == ([], True, True)
    assert [match.name for match in matches(chosen("q=saturated&level=error"), page.before).rows] == ["OLD_ONE"]
    assert counts(chosen("q=saturated"), timezone.now()).is_cut


def test_a_page_asks_no_more_for_more_rows(agent: AgentCaller):
    send_run(
        agent,
        *(said("A_TOKEN", message="saturated") for _ in range(40)),
        *(tool_call(result="saturated") for _ in range(9)),
    )
    index_log()
    with CaptureQueriesContext(connection) as queries:
        assert len(matches(chosen("q=saturated&agent=triage")).rows) == 49
    assert len(queries) <= 6


def test_the_page_shows_what_was_found_and_marks_it(agent: AgentCaller, viewer: User, sign_in: SignIn):
    run = send_run(agent, said("A_TOKEN", message="<b>pool</b> saturated"))
    index_log()
    page = html_of(sign_in(viewer).get("/traces/?q=satur"))
    assert "<mark>saturated</mark>" in page
    assert "&lt;b&gt;pool" in page
    assert f"/runs/{run}/?tab=tokens" in page


@pytest.mark.parametrize("query", ["q=nothing", "q=%00", "q=%22%27", "tool=x&outcome=ok", "q=" + "x" * 200])
def test_no_question_breaks_the_page(query: str, viewer: User, sign_in: SignIn):
    assert sign_in(viewer).get(f"/traces/?{query}").status_code in (200, 302)


@pytest.mark.parametrize("query", ["q=" + "x" * 201, "q=x&range=1y", "q=x&outcome=fine", "q=x&before=-1"])
def test_a_filter_that_is_none_says_so(query: str, viewer: User, sign_in: SignIn):
    assert sign_in(viewer).get(f"/traces/?{query}").status_code == 400


def test_an_id_or_a_token_goes_where_it_belongs(agent: AgentCaller, viewer: User, sign_in: SignIn):
    run = send_run(agent, said("A_TOKEN"), request_id="req-77")
    client = sign_in(viewer)
    assert client.get("/traces/?q=A_TOKEN")["Location"] == "/traces/?token=A_TOKEN"
    assert client.get(f"/traces/?q={run}")["Location"] == f"/runs/{run}/"


def test_a_search_is_saved_apart_from_the_run_lists_views(viewer: User, sign_in: SignIn):
    client = sign_in(viewer)
    client.post("/traces/views/", {"name": "pools", "query": "q=pool&range=7d&bad=1"})
    assert "pools" in html_of(client.get("/traces/?q=pool"))
    assert "pools" not in html_of(client.get("/runs/"))
    assert client.post("/runs/views/", {"name": "pools", "query": "status=failed"}).status_code == 400


def test_a_restricted_environments_texts_are_for_its_members(agent: AgentCaller, viewer: User, sign_in: SignIn):
    send_run(agent, said("A_TOKEN", message="saturated"))
    index_log()
    Environment.objects.filter(name="dev").update(is_restricted=True)
    assert "A_TOKEN" not in html_of(sign_in(viewer).get("/traces/?q=saturated")).partition("<ol")[2]
