"""What the doctor reads of other agents' work: of environments that everybody who reads it may look into."""

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from agentconsole.protocol.ids import first_uuid7, uuid7
from runs.doctor.tools.activity import (
    degraded_agents,
    failed_calls,
    ingest_rate,
    recent_warnings,
    runs_by_status,
    slowest_tools,
    stalled_runs,
)
from runs.doctor.tools.database import database_size, oldest_run, open_environments, past_retention, table_rows
from runs.models import Environment, RunStatus
from tests.cast import AgentCaller, make_agent
from tests.ingest.items import ended, event, new_run, run_started, span
from tests.sweeps.runs import ended_run, live_run, set_status

pytestmark = pytest.mark.django_db(transaction=True)
DEV = ["dev"]


def now() -> str:
    return timezone.now().isoformat()


def send_run(agent: AgentCaller, *items: Callable[[str], dict[str, Any]]) -> str:
    run = new_run()
    agent.send(run_started(run, at=now()), *(make(run) for make in items))
    return run


def failed(outcome: str, name: str = "lookup") -> Callable[[str], dict[str, Any]]:
    return lambda run: ended(span(run, name=name), outcome, elapsed_ms=1200)


def test_runs_are_counted_by_status_in_open_environments(agent: AgentCaller, foreign_agent: AgentCaller):
    for _ in range(2):
        send_run(agent)
    send_run(foreign_agent)
    assert runs_by_status(DEV, hours=1) == {"running": 2}
    assert runs_by_status(["dev", "prod"], hours=1) == {"running": 3}


def test_only_warnings_of_others_count(agent: AgentCaller, foreign_agent: AgentCaller):
    doctor = make_agent("dev", "doctor")
    for caller in (agent, foreign_agent, doctor):
        send_run(caller, lambda run: event(run, "POOL_EXHAUSTED", level="warning"), lambda run: event(run, "FINE"))
    assert recent_warnings(DEV, minutes=5, without_agent="doctor") == {"POOL_EXHAUSTED": 1}


def test_failed_calls_are_counted_by_tool_and_outcome(agent: AgentCaller):
    send_run(agent, failed("timeout"), failed("timeout"), failed("error"), failed("ok"), failed("empty"))
    assert failed_calls(DEV, minutes=5, without_agent="doctor") == [
        {"name": "lookup", "outcome": "timeout", "calls": 2},
        {"name": "lookup", "outcome": "error", "calls": 1},
    ]


def test_the_slowest_tools_come_first(agent: AgentCaller):
    send_run(agent, failed("ok"), lambda run: ended(span(run, name="quick"), elapsed_ms=3))
    assert [tool["name"] for tool in slowest_tools(DEV, minutes=5, without_agent="doctor")] == ["lookup", "quick"]


def test_silent_runs_are_told_with_their_request(agent: AgentCaller):
    run = set_status(live_run(agent, at=now(), request_id="req-silent"), RunStatus.STALLED)
    assert stalled_runs(DEV, hours=1) == [
        {"request_id": "req-silent", "agent": "triage", "environment": "dev", "phase": run.phase}
    ]


def test_an_agent_that_lacks_tools_is_found(agent: AgentCaller):
    startup = {"type": "agent.startup", "id": str(uuid7()), "at": now(), "expected": ["a", "b"], "loaded": ["a"]}
    agent.send({**startup, "missing": [{"name": "b", "reason": "no licence"}]})
    assert degraded_agents(DEV) == [{"agent": "triage", "environment": "dev", "missing": ["b"]}]
    assert degraded_agents(["prod"]) == []


def test_the_rate_counts_what_came_within_the_window(agent: AgentCaller, monkeypatch: pytest.MonkeyPatch):
    old, mine = send_run(agent), send_run(agent)

    def send() -> None:
        agent.send(*(event(old) for _ in range(7)))
        agent.send(*(event(mine) for _ in range(100)))
        connection.close()

    def window(_seconds: float) -> None:
        with ThreadPoolExecutor(1) as sender:
            sender.submit(send).result()

    monkeypatch.setattr("runs.doctor.tools.activity.time.sleep", window)
    answer = ingest_rate(DEV, window_s=1.0, without_run=mine)
    assert (answer["rows"], answer["runs"]) == (8, 1)  # 7 events, and the run's own summary


def test_nothing_sent_is_no_rate(agent: AgentCaller):
    send_run(agent)
    assert ingest_rate(DEV, window_s=0.01, without_run=str(uuid.uuid4())) == {}


def test_a_restricted_environment_is_the_doctors_only_if_it_is_its_own(environments: None):
    Environment.objects.filter(name="prod").update(is_restricted=True)
    assert open_environments("dev") == ["dev", "staging"]
    assert open_environments("prod") == ["dev", "prod", "staging"]


def test_what_is_past_its_retention_is_counted_by_environment(agent: AgentCaller, foreign_agent: AgentCaller):
    for caller in (agent, agent, foreign_agent):
        ended_run(caller, days_ago=31)
    ended_run(agent, days_ago=1)
    assert past_retention(DEV) == {"dev": 2}


def test_the_store_is_measured(agent: AgentCaller):
    assert oldest_run(DEV) == {}
    run = send_run(agent, failed("ok"))
    assert database_size()["bytes"] > 0
    assert set(table_rows()) >= {"runs_run", "runs_span"}
    assert oldest_run(["prod", "dev"])["environment"] == "dev"
    assert (
        first_uuid7(timezone.now() - timedelta(hours=1))
        < uuid.UUID(run)
        < first_uuid7(timezone.now() + timedelta(hours=1))
    )
