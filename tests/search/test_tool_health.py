"""Tool health is counted from calls: what was not called has no data, what was not reported is not ok."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import User
from django.http import QueryDict
from django.test import Client
from django.utils import timezone

from tests.cast import AgentCaller
from tests.ingest.items import new_run
from tests.pages.reading import html_of
from tests.pages.runs import ago, said, send_run
from tests.search.test_finding import tool_call
from traces.queries.tool_health import ToolHealth, health_filter_of, tool_table
from traces.services.indexing import index_log

SignIn = Callable[[User], Client]


def tools(query: str = "", visible: tuple[str, ...] = ("dev", "prod")) -> dict[str, ToolHealth]:
    index_log()
    chosen = health_filter_of(QueryDict(query).dict(), visible, timezone.now())
    return {one.tool: one for one in tool_table(chosen).tools}


def took(milliseconds: int, outcome: str = "ok", **more: Any) -> dict[str, Any]:
    budget = {"soft_ms": 500, "hard_ms": 2000}
    return tool_call("logs", outcome, elapsed_ms=milliseconds, budget=budget, **more)


def test_calls_are_counted_by_outcome_and_timed_against_the_budget(agent: AgentCaller):
    send_run(agent, *(took(10 * n) for n in range(1, 20)), took(900, "slow"), tool_call("logs", "unreported"))
    logs = tools()["logs"]
    assert (logs.calls, logs.outcomes["ok"], logs.outcomes["unreported"]) == (21, 19, 1)
    assert (logs.soft_ms, logs.hard_ms) == (500, 2000)
    assert logs.p50_ms == 110
    assert (logs.p95_ms, logs.is_over_soft) == (900, True)


def test_the_last_failure_is_the_newest(agent: AgentCaller):
    run = send_run(agent, took(5, "error"), {**took(5, "timeout"), "at": ago(10), "ended_at": ago(9)})
    failure = tools()["logs"].last_failure
    assert failure is not None
    assert (failure.outcome, str(failure.run_id)) == ("timeout", run)


def test_a_tool_that_was_loaded_and_not_called_has_no_data(agent: AgentCaller, viewer: User, sign_in: SignIn):
    agent.send({"type": "agent.startup", "id": new_run(), "at": ago(5), "expected": ["jira"], "loaded": ["jira"]})
    assert tools()["jira"].calls == 0
    assert "no data: loaded, and not called" in html_of(sign_in(viewer).get("/traces/tools/"))


def test_a_circuit_is_open_until_it_is_said_to_be_closed(agent: AgentCaller):
    opened = said("CIRCUIT_OPENED", fields={"tool": "logs"}, at=ago(30))
    send_run(agent, took(5), took(5, "degraded"), opened)
    assert tools()["logs"].circuit_open_since is not None
    send_run(agent, said("CIRCUIT_CLOSED", fields={"tool": "logs"}, at=ago(5)))
    assert tools()["logs"].circuit_open_since is None


def test_a_circuit_whose_process_ended_is_over_with_the_next_answer(agent: AgentCaller):
    send_run(agent, took(5, "degraded"), said("CIRCUIT_OPENED", fields={"tool": "logs"}, at=ago(60)))
    send_run(agent, took(5))
    assert tools()["logs"].circuit_open_since is None


def test_another_environments_tools_are_not_shown(agent: AgentCaller, foreign_agent: AgentCaller):
    send_run(foreign_agent, took(5))
    assert tools(visible=("dev",)) == {}
    assert set(tools("environment=prod")) == {"logs"}
