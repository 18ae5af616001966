"""The span of a wait is the console's record: an agent knows its id, and can't touch it."""

import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentconsole.protocol.ids import is_span_id
from runs.models import Span
from runs.queries.shapes import span_shape
from runs.wait_spans import wait_span_id
from tests.cast import AgentCaller
from tests.ingest.items import ended, span
from tests.runs_waiting.waits import ask, decide, now_of, open_run, wait_of

ACTION = uuid.UUID("00000000-0000-4000-8000-000000000007")
ID = wait_span_id(ACTION)
ATTRIBUTES = {"approval": str(ACTION)}


def refused_codes(answer: Any) -> list[str]:
    return [rejection["code"] for rejection in answer.json()["rejected"]]


@pytest.mark.django_db
@pytest.mark.parametrize("outcome", ["ok", "rejected"])
@pytest.mark.parametrize("more", [{}, {"attributes": ATTRIBUTES}, {"approval": str(ACTION)}])
def test_an_agent_cannot_end_its_wait(agent: AgentCaller, outcome: str, more: dict[str, Any]):
    run = open_run(agent)
    ask(run, ACTION)
    before = Span.objects.filter(run_id=run.id).values().order_by("seq")
    kept = list(before)
    answer = agent.send(ended(span(str(run.id), id=ID, **more), outcome))
    assert refused_codes(answer) == ["console_span"]
    assert (list(before.all()), now_of(run).status) == (kept, "waiting")


@pytest.mark.django_db
def test_an_agent_cannot_reword_a_wait_that_is_over(agent: AgentCaller):
    run = open_run(agent)
    decide(run, ask(run, ACTION), "rejected", "denied by omar")
    answer = agent.send(ended(span(str(run.id), id=ID, attempts=[]), "ok", message="approved by omar"))
    assert refused_codes(answer) == ["console_span"]
    assert wait_of(run, ACTION).message == "denied by omar"


@pytest.mark.django_db
def test_a_wait_that_an_agent_makes_up_is_a_span_of_its_own(agent: AgentCaller):
    run = open_run(agent)
    more = {"kind": "step", "name": "approval: pay", "attributes": ATTRIBUTES, "approval_id": str(ACTION)}
    agent.send(span(str(run.id), id=ID, outcome="waiting", **more), ended(span(str(run.id), id=ID, **more)))
    made_up = Span.objects.get(run_id=run.id, span_id=ID)
    assert (made_up.approval_id, span_shape(made_up)["approval"]) == (None, "")
    assert now_of(run).status == "running"


@pytest.mark.django_db
def test_a_wait_takes_the_place_of_a_span_that_took_its_id(agent: AgentCaller):
    run = open_run(agent)
    agent.send(ended(span(str(run.id), id=ID, message="approved by omar")))
    assert now_of(run).tools == {"running": 1, "ok": 1}
    ask(run, ACTION)
    wait = wait_of(run, ACTION)
    assert (wait.kind, wait.outcome, wait.message, wait.ended_at) == ("step", "waiting", "", None)
    assert (now_of(run).tools, now_of(run).span_count) == ({"running": 1}, 2)


@given(st.uuids(), st.uuids())
def test_each_action_has_a_span_id_of_its_own(one: uuid.UUID, other: uuid.UUID):
    assert is_span_id(wait_span_id(one))
    assert (wait_span_id(one) == wait_span_id(other)) == (one == other)
