"""A token across runs."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.utils import timezone

from runs.models import Environment, TraceEvent
from tests.cast import AgentCaller
from tests.pages.plans import plan_of
from tests.pages.reading import html_of
from tests.pages.runs import ago, said, send_run
from traces.queries.events import EventFilter, event_cursor_of, event_filter_of, event_page, token_counts

SignIn = Callable[[User], Client]


def chosen(query: str = "", visible: tuple[str, ...] = ("dev", "prod")) -> EventFilter:
    return event_filter_of(QueryDict(query).dict(), visible, timezone.now())


def counts(query: str = "", visible: tuple[str, ...] = ("dev", "prod")) -> dict[str, int]:
    return {count.token: count.events for count in token_counts(chosen(query, visible))}


def test_a_tokens_events_are_shown_with_their_runs_and_fields(agent: AgentCaller, viewer: User, sign_in: SignIn):
    run = send_run(agent, said("ROUTER_DECISION", message="to the log search", fields={"chosen": "logs"}))
    page = html_of(sign_in(viewer).get("/traces/?token=router_decision"))
    assert f"/runs/{run}/?tab=tokens" in page
    assert "to the log search" in page
    assert "chosen=" in page
    assert "an agent chose where a request goes" in page


def test_tokens_are_counted_most_frequent_first(agent: AgentCaller, foreign_agent: AgentCaller):
    send_run(agent, said("B_OFTEN"), said("B_OFTEN"), said("A_ONCE"))
    send_run(foreign_agent, said("B_OFTEN"), said("C_OLD", at=ago(2 * 86400)))
    assert list(counts().items()) == [("B_OFTEN", 3), ("A_ONCE", 1)]
    assert counts("range=7d")["C_OLD"] == 1
    assert counts("environment=dev") == {"B_OFTEN": 2, "A_ONCE": 1}
    assert counts("level=error") == {}


def test_a_token_is_counted_up_to_a_bound(agent: AgentCaller, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("traces.queries.events.COUNTED_A_TOKEN", 2)
    send_run(agent, *(said("MANY") for _ in range(5)), said("FEW"))
    found = {count.token: (count.events, count.is_more) for count in token_counts(chosen())}
    assert found == {"MANY": (2, True), "FEW": (1, False)}


def test_events_page_without_a_gap_or_a_repeat_also_at_one_time(agent: AgentCaller, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("traces.queries.events.EVENTS_A_PAGE", 2)
    at = ago(30)
    send_run(agent, *(said("SAME", at=at) for _ in range(5)))
    seen, cursor = [], None
    while True:
        page = event_page(chosen("token=SAME"), cursor)
        seen += [event.id for event in page.events]
        if page.next_cursor is None:
            break
        cursor = event_cursor_of(str(page.next_cursor))
    assert len(seen) == len(set(seen)) == 5


def test_the_level_narrows(agent: AgentCaller):
    send_run(agent, said("SAME", level="error"), said("SAME"))
    assert [event.level for event in event_page(chosen("token=SAME&level=error"), None).events] == ["error"]


def test_each_page_is_one_query_by_the_tokens_index(agent: AgentCaller, django_assert_num_queries: Callable[..., Any]):
    send_run(agent, said("SAME"))
    with django_assert_num_queries(1):
        assert [event.run.agent.name for event in event_page(chosen("token=SAME"), None).events] == ["triage"]
    with django_assert_num_queries(1):
        assert counts()
    rows = TraceEvent.objects.filter(token="SAME", at__gte=chosen().since).order_by("-at", "-id")[:100]
    index = "token_at_idx" if connection.vendor == "postgresql" else "event_by_token"  # a partition's own
    assert index in plan_of(rows)


def test_nothing_of_an_environment_that_is_not_visible_is_told(
    foreign_agent: AgentCaller, viewer: User, sign_in: SignIn
):
    send_run(foreign_agent, said("HIDDEN_TOKEN"))
    Environment.objects.filter(name="prod").update(is_restricted=True)
    client = sign_in(viewer)
    assert "HIDDEN_TOKEN" not in html_of(client.get("/traces/"))
    assert "No such event" in html_of(client.get("/traces/?token=HIDDEN_TOKEN"))
    assert client.get("/traces/?environment=prod").status_code == 404
    assert counts(visible=()) == {}


@pytest.mark.parametrize("query", ["token=not a token", "level=loud", "range=9y", "token=A&before=x"])
def test_a_query_that_can_not_be_is_refused_with_words(query: str, viewer: User, sign_in: SignIn):
    assert sign_in(viewer).get(f"/traces/?{query}").status_code == 400
