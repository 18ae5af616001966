"""Runs over time by status: bars that add up, whatever the window."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import QueryDict
from django.test import Client
from django.utils import timezone

from runs.queries.histogram import BARS, Histogram, histogram
from runs.queries.run_filter import filter_of
from tests.cast import AgentCaller
from tests.pages.reading import html_of
from tests.pages.runs import call, send_run


def histogram_of(query: str = "") -> Histogram:
    now = timezone.now()
    return histogram(filter_of(QueryDict(query).dict(), ["dev", "prod"], now), now)


def test_every_run_of_the_window_is_in_the_bar_of_its_time(agent: AgentCaller):
    for seconds, status in ((5, "failed"), (7, "succeeded"), (1800, "succeeded"), (3500, "failed"), (4000, "failed")):
        send_run(agent, ago_s=seconds, status=status)
    found = histogram_of("range=1h")
    assert found.total == 4
    assert dict(found.legend) == {"succeeded": 2, "failed": 2}
    now = datetime.now(UTC)
    (half_hour_ago,) = [bar for bar in found.bars if bar.since <= now - timedelta(seconds=1800) < bar.until]
    assert half_hour_ago.counts == {"succeeded": 1}


@pytest.mark.parametrize(
    "query", ["", "range=15m", "range=7d", "from=2026-01-01T00:00:01&to=2026-01-01T00:00:02", "from=1990-01-01"]
)
def test_bars_are_few_and_cover_the_window_without_a_gap(query: str, environments: None):
    bars = histogram_of(query).bars
    assert 1 <= len(bars) <= BARS + 2
    assert all(bar.until == following.since for bar, following in pairwise(bars))


def test_it_is_narrowed_by_the_filters_of_the_list(agent: AgentCaller, foreign_agent: AgentCaller):
    send_run(agent, call("timeout"), status="failed")
    send_run(foreign_agent, call("ok"))
    queries = ("environment=dev", "status=failed", "outcome=timeout", "agent=triage&environment=dev")
    assert [histogram_of(query).total for query in queries] == [1, 1, 1, 1]


def test_pieces_of_a_column_stack_up_to_its_height(agent: AgentCaller, time_machine: Any):
    time_machine.move_to("2026-11-22T21:00:30Z", tick=False)
    for status in ("failed", "failed", "succeeded", "cancelled"):
        send_run(agent, ago_s=5, status=status)
    pieces = [column.pieces for column in histogram_of("range=15m").columns if column.pieces]
    assert sum(height for column in pieces for *_, height in column) == pytest.approx(100, abs=0.1)
    assert [status for status, *_ in pieces[-1]][-1] == "failed"


def test_it_costs_one_query(agent: AgentCaller, django_assert_num_queries: Callable[..., Any]):
    send_run(agent)
    with django_assert_num_queries(1):
        histogram_of("agent=triage&outcome=ok")


def test_a_bar_leads_to_its_own_stretch_of_time(agent: AgentCaller, viewer: User, sign_in: Callable[[User], Client]):
    run = send_run(agent, ago_s=60, status="failed")
    client = sign_in(viewer)
    client.get("/runs/?status=failed")
    (bar,) = [bar for bar in histogram_of("status=failed").bars if bar.total]
    path = f"?status=failed&from={bar.since:%Y-%m-%dT%H:%M:%S}&to={bar.until:%Y-%m-%dT%H:%M:%S}"
    escaped = path.replace(":", "%3A").replace("&", "&amp;")
    assert f'<a href="{escaped}"' in html_of(client.get("/runs/?status=failed"))
    assert run in html_of(client.get(f"/runs/{path}"))
