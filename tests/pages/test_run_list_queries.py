"""The run list reads a page by keyset, in a fixed number of queries, each by an index."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from runs.models import Agent, Environment, Run
from runs.queries.run_filter import RunFilter, cursor_of, filter_of
from runs.queries.run_list import rows_of_runs, run_page
from tests.cast import AgentCaller
from tests.pages.plans import plan_of
from tests.pages.runs import send_run, stay

Asserting = Callable[..., Any]
ALL = ["dev", "prod", "staging"]


def chosen(query: str = "", visible: list[str] = ALL) -> RunFilter:
    return filter_of(QueryDict(query).dict(), visible, timezone.now())


def test_pages_follow_one_another_without_a_gap_or_a_repeat_also_where_runs_started_together(agent: AgentCaller):
    sent = {send_run(agent, status="running", ago_s=60) for _ in range(7)}
    Run.objects.update(started_at=datetime.now(UTC))
    seen: list[str] = []
    cursor = None
    while True:
        page = run_page(chosen(), cursor, timezone.now(), limit=2)
        seen += [str(row.run.id) for row in page.rows]
        if page.next_cursor is None:
            break
        cursor = cursor_of(str(page.next_cursor))
    assert len(seen) == len(set(seen))
    assert set(seen) == sent


def test_environments_are_merged_newest_first(agent: AgentCaller, foreign_agent: AgentCaller):
    order = [send_run(one, ago_s=s) for one, s in ((agent, 10), (foreign_agent, 20), (agent, 30), (foreign_agent, 40))]
    page = run_page(chosen(), None, timezone.now())
    assert [str(row.run.id) for row in page.rows] == order


def test_a_page_costs_a_query_for_each_environment_and_one_for_ticks(
    agent: AgentCaller, foreign_agent: AgentCaller, django_assert_num_queries: Asserting
):
    for _ in range(3):
        send_run(agent, *stay("plan", 60, 59))
        send_run(foreign_agent, *stay("plan", 60, 59))
    with django_assert_num_queries(4):
        page = run_page(chosen(), None, timezone.now())
        assert [row.run.agent.name for row in page.rows if row.run.lacks or row.bar]
    with django_assert_num_queries(4):
        run_page(chosen("agent=triage"), None, timezone.now())
    with django_assert_num_queries(2):
        run_page(chosen("environment=prod"), None, timezone.now())
    with django_assert_num_queries(2):
        rows_of_runs([row.run.id for row in page.rows], ALL, timezone.now())


def test_nothing_is_counted_and_nothing_skipped(agent: AgentCaller):
    send_run(agent)
    with CaptureQueriesContext(connection) as queries:
        run_page(chosen("status=succeeded&before=x"), None, timezone.now())
    sql = " ".join(query["sql"].upper() for query in queries)
    assert "OFFSET" not in sql
    assert "COUNT(" not in sql


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("environment=dev", "run_list"),
        ("environment=dev&status=failed", "run_list_by_status"),
        ("agent=triage", "run_list_by_agent"),
    ],
)
def test_each_list_follows_its_index_in_its_order(query: str, index: str, agent: AgentCaller):
    send_run(agent)
    narrowed = chosen(query)
    source = (
        Run.objects.filter(agent_id=Agent.objects.get().id) if narrowed.agent else Run.objects.filter(environment="dev")
    )
    plan = plan_of(source.filter(narrowed.conditions()).order_by("-started_at", "-id")[:51])
    assert f" {index} " in f"{plan} "
    assert "SORT" not in plan.upper()
    assert "TEMP B-TREE" not in plan


def test_a_run_with_very_many_phases_tells_the_part_that_was_read(agent: AgentCaller, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("runs.queries.run_list.TICKS_A_RUN", 4)
    phases = [item for n in range(5) for item in stay(f"step-{n}", 60 - n * 4, 56 - n * 4)]
    send_run(agent, *phases, status="running", ago_s=60)
    (row,) = run_page(chosen(), None, timezone.now()).rows
    assert [piece.phase for piece in row.bar] == ["step-0", "step-1"]
    assert sum(piece.width for piece in row.bar) < 20


def test_details_of_runs_that_are_not_visible_are_left_out(agent: AgentCaller, foreign_agent: AgentCaller):
    mine, other = send_run(agent), send_run(foreign_agent)
    Environment.objects.filter(name="prod").update(is_restricted=True)
    rows = rows_of_runs([mine, other], ["dev"], timezone.now())  # type: ignore[list-item]  # text works as well
    assert [str(row.run.id) for row in rows] == [mine]
