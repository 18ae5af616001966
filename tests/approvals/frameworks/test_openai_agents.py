"""OpenAI Agents behind the queue."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from agents import Agent, Model, ModelResponse, RunConfig, Runner, Usage, UserError, function_tool
from django.contrib.auth.models import User
from openai.types.responses import (
    ResponseFunctionToolCall,
    ResponseOutputItem,
    ResponseOutputMessage,
    ResponseOutputText,
)

from approvals.models import Action, Verdict
from tests.approvals.asking import decide, person_who
from tests.approvals.frameworks.calls import CHECKOUT, GONE
from tests.approvals.frameworks.snippets import as_documented
from tests.cast import AgentCaller

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

QUIET = RunConfig(tracing_disabled=True)
Go = Callable[..., Any]


def text(said: str) -> ResponseOutputMessage:
    """A model's words."""
    content = ResponseOutputText(annotations=[], text=said, type="output_text")
    return ResponseOutputMessage(id="m", content=[content], role="assistant", status="completed", type="message")


class Says(Model):
    """Asks for one call, then says that it is done."""

    def __init__(self, arguments: dict[str, Any]) -> None:
        self.arguments = json.dumps(arguments)

    async def get_response(self, *args: Any, **more: Any) -> ModelResponse:
        call = ResponseFunctionToolCall(
            arguments=self.arguments, call_id="call-1", name="restart", type="function_call"
        )
        is_done = more["input"][-1].get("type") == "function_call_output"
        output: list[ResponseOutputItem] = [text("done")] if is_done else [text("It hangs."), call]
        return ModelResponse(output=output, usage=Usage(), response_id=None)

    def stream_response(self, *args: Any, **more: Any) -> AsyncIterator[Any]:
        raise NotImplementedError


@pytest.fixture
def go(url: str, agent: AgentCaller, restart: Callable[..., str]) -> Go:
    """What comes of something done with the documented agent, by default of a run."""

    def run(_approvals: Any, made: Agent[Any]) -> Any:
        return Runner.run(made, "checkout hangs", run_config=QUIET)

    async def live(do: Callable[..., Any], arguments: dict[str, Any], more: dict[str, Any]) -> Any:
        given = {"model": Says(arguments), "tools": [function_tool(restart)], "token": agent.token, **more}
        defined = as_documented("OpenAI Agents", url, **given)
        try:
            return await do(defined["approvals"], defined["agent"])
        finally:
            await defined["approvals"].gate.client.aclose()

    def go(do: Callable[..., Any] = run, arguments: dict[str, Any] = CHECKOUT, **more: Any) -> Any:
        return asyncio.run(live(do, arguments, more))

    return go


def told(result: Any) -> str:
    """What the model was told about its call."""
    return next(item["output"] for item in result.to_input_list() if item.get("type") == "function_call_output")


def test_an_approved_call_runs_once_as_asked(go: Go, ran: list[Any], operator: User):
    with person_who(operator):
        result = go()
    assert (ran, told(result), result.final_output) == ([CHECKOUT], "restarted", "done")
    action = Action.objects.get()
    assert (action.lifecycle, action.tool, action.agent_reasoning) == ("succeeded", "restart", "It hangs.")


def test_a_denied_call_does_not_run_and_the_model_is_told_why(go: Go, ran: list[Any], operator: User):
    with person_who(operator, Verdict.DENY):
        assert "as asked" in told(go())
    assert (ran, Action.objects.get().lifecycle) == ([], "denied")


def test_a_tool_that_raises_counts_as_succeeded_because_the_sdk_makes_words_of_it(go: Go, operator: User):
    with person_who(operator):
        assert "error occurred" in told(go(arguments=GONE))
    assert Action.objects.get().lifecycle == "succeeded"


def test_a_tool_whose_errors_end_the_run_is_not_reported(go: Go, restart: Callable[..., str], operator: User):
    tools = [function_tool(restart, failure_error_function=None)]
    with person_who(operator), pytest.raises(UserError, match="no such service"):
        go(arguments=GONE, tools=tools)
    assert Action.objects.get().lifecycle == "claimed"


def test_a_paused_run_goes_on_when_it_was_decided_and_not_before(
    go: Go, ran: list[Any], delivered: Callable[..., Any], operator: User
):
    kept: dict[str, str] = {}
    pausing = {"pauses": True, "save": kept.__setitem__, "load": kept.get}
    result = go(lambda approvals, made: approvals.run(made, "hangs", run_id="1", run_config=QUIET), **pausing)
    assert [item.name for item in result.interruptions] == ["restart"]
    action, paused = Action.objects.get(), kept["1"]

    def wake(approvals: Any, made: Any) -> Any:
        return approvals.resumer(made, run_config=QUIET)(*delivered(action))

    go(wake, **pausing)
    assert (ran, kept["1"]) == ([], paused)
    decide(operator, action)
    go(wake, **pausing)
    assert (ran, Action.objects.get().lifecycle) == ([CHECKOUT], "succeeded")
