"""Pydantic AI behind the queue."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from agentapprovalprotocol.pydantic_ai import resumer
from django.contrib.auth.models import User
from pydantic_ai import DeferredToolRequests, ModelMessage, ModelResponse, TextPart, ToolCallPart, ToolReturnPart
from pydantic_ai.conversation import Conversation
from pydantic_ai.models.function import AgentInfo, FunctionModel

from approvals.models import Action, Verdict
from tests.approvals.asking import decide, person_who
from tests.approvals.frameworks.calls import CHECKOUT, GONE
from tests.approvals.frameworks.snippets import as_documented
from tests.cast import AgentCaller

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

Go = Callable[..., Any]


def model(arguments: dict[str, Any]) -> FunctionModel:
    """Asks for one call, then says that it is done."""

    def answer(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        if isinstance(messages[-1].parts[-1], ToolReturnPart):
            return ModelResponse([TextPart("done")])
        return ModelResponse([TextPart("It hangs."), ToolCallPart("restart", arguments, "call-1")])

    return FunctionModel(answer)


@pytest.fixture
def go(url: str, agent: AgentCaller, restart: Callable[..., str]) -> Go:
    """What comes of something done with the documented agent, by default of a run."""

    def run(made: Any) -> Any:
        return made.run("checkout hangs")

    async def live(do: Callable[[Any], Any], arguments: dict[str, Any], *, pauses: bool) -> Any:
        given = {"model": model(arguments), "tools": [restart], "token": agent.token}
        defined = as_documented("Pydantic AI", url, pauses=pauses, **given)
        try:
            return await do(defined["agent"])
        finally:
            await defined["approvals"].gate.client.aclose()

    def go(do: Callable[[Any], Any] = run, arguments: dict[str, Any] = CHECKOUT, *, pauses: bool = False) -> Any:
        return asyncio.run(live(do, arguments, pauses=pauses))

    return go


def test_an_approved_call_runs_once_as_asked(go: Go, ran: list[Any], operator: User):
    with person_who(operator):
        result = go()
    assert (ran, result.output) == ([CHECKOUT], "done")
    action = Action.objects.get()
    assert (action.lifecycle, action.tool, action.agent_reasoning) == ("succeeded", "restart", "It hangs.")


def test_a_denied_call_does_not_run_and_the_model_is_told_why(go: Go, ran: list[Any], operator: User):
    with person_who(operator, Verdict.DENY):
        told = go().all_messages()[-2].parts[0]
    assert isinstance(told, ToolReturnPart)
    assert "as asked" in str(told.content)
    assert (ran, Action.objects.get().lifecycle) == ([], "denied")


def test_a_tool_that_raises_is_reported_as_failed(go: Go, operator: User):
    with person_who(operator), pytest.raises(LookupError):
        go(arguments=GONE)
    assert Action.objects.get().lifecycle == "failed"


def test_a_paused_conversation_goes_on_when_it_was_decided_and_not_before(
    go: Go, ran: list[Any], delivered: Callable[..., Any], operator: User
):
    paused = go(pauses=True)
    assert isinstance(paused.output, DeferredToolRequests)
    kept: list[Conversation] = [paused.conversation]
    action = Action.objects.get()

    def wake(made: Any) -> Any:
        return resumer(made, load=lambda _id: kept[-1], save=kept.append)(*delivered(action))

    go(wake, pauses=True)
    assert (ran, kept[-1].deferred_tool_requests is None) == ([], False)
    decide(operator, action)
    go(wake, pauses=True)
    assert (ran, kept[-1].deferred_tool_requests) == ([CHECKOUT], None)
    assert Action.objects.get().lifecycle == "succeeded"
