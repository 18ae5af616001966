"""Runs for pages to show, sent as agents send them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from agentconsole.protocol.ids import new_request_id
from tests.cast import AgentCaller
from tests.ingest.items import event, new_run, run_finished, run_started, span, tick

Item = dict[str, Any]


def ago(seconds: float) -> str:
    """That long before now, as the wire has it."""
    return (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat()


def send_run(agent: AgentCaller, *more: Item, ago_s: float = 60, status: str = "succeeded", **start: Any) -> str:
    """A run that started `ago_s` ago and, unless it is still `running`, took 2 s. `more` items get its id. Its id."""
    run = new_run()
    items = [run_started(run, at=ago(ago_s), **{"request_id": new_request_id(), **start})]
    items += [{**item, "run": run} for item in more]
    if status != "running":
        items.append(run_finished(run, at=ago(ago_s - 2), status=status))
    answer = agent.send(*items)
    assert answer.status_code == 200, answer.content
    assert not answer.json()["rejected"], answer.json()
    return run


def call(outcome: str) -> Item:
    """A finished tool call."""
    return span("", at=ago(50), ended_at=ago(49), outcome=outcome)


def said(token: str, **more: Any) -> Item:
    """A trace event."""
    return event("", token, **{"at": ago(50), **more})


def stay(phase: str, start_ago_s: float, end_ago_s: float) -> list[Item]:
    """A stay in a phase."""
    entered, left = tick("", phase, "entered"), tick("", phase, "left")
    return [{**entered, "at": ago(start_ago_s)}, {**left, "at": ago(end_ago_s)}]
