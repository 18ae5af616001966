"""LangGraph and LangChain behind the queue."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from approvals.models import Action, Verdict
from tests.approvals.asking import decide, person_who
from tests.approvals.frameworks.calls import CHECKOUT, GONE
from tests.approvals.frameworks.snippets import as_documented
from tests.cast import AgentCaller

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

Made = Callable[..., Any]


class Model(BaseChatModel):
    """Asks for one call, then says that it is done."""

    arguments: dict[str, Any]

    @property
    def _llm_type(self) -> str:
        return "told what to say"

    def bind_tools(self, tools: Any, **more: Any) -> Any:
        return self

    def _generate(self, messages: list[BaseMessage], *args: Any, **more: Any) -> ChatResult:
        call = {"name": "restart", "args": self.arguments, "id": "call-1", "type": "tool_call"}
        is_done = isinstance(messages[-1], ToolMessage)
        said = AIMessage("done") if is_done else AIMessage("It hangs.", tool_calls=[call])
        return ChatResult(generations=[ChatGeneration(message=said)])


@pytest.fixture
def made(url: str, agent: AgentCaller, restart: Callable[..., str]) -> Iterator[Made]:
    """The documented agent, with this call in mind."""
    clients = []

    def make(arguments: dict[str, Any] = CHECKOUT, *, window: str = "", **more: Any) -> Any:
        given = {"model": Model(arguments=arguments), "tools": [restart], "token": agent.token, **more}
        defined = as_documented("LangGraph, LangChain", url, **given)
        if window:
            defined["approvals"].gate.timeout = window
        clients.append(defined["approvals"].gate.client)
        return defined["agent"]

    yield make
    for client in clients:
        client.close()


def go(agent: Any) -> list[BaseMessage]:
    """All that was said."""
    return agent.invoke({"messages": ["checkout hangs"]})["messages"]


def test_an_approved_call_runs_once_as_asked(made: Made, ran: list[Any], operator: User):
    with person_who(operator):
        said = go(made())
    assert (ran, said[-1].content) == ([CHECKOUT], "done")
    action = Action.objects.get()
    assert (action.lifecycle, action.tool, action.agent_reasoning) == ("succeeded", "restart", "It hangs.")


def test_a_denied_call_does_not_run_and_the_model_is_told_why(made: Made, ran: list[Any], operator: User):
    with person_who(operator, Verdict.DENY):
        told = go(made())[-2]
    assert isinstance(told, ToolMessage)
    assert "as asked" in str(told.content)
    assert (ran, Action.objects.get().lifecycle) == ([], "denied")


def test_a_call_that_nobody_decides_in_time_does_not_run_and_the_model_is_told(made: Made, ran: list[Any]):
    assert "expired" in str(go(made(window="1s"))[-2].content)
    assert (ran, Action.objects.get().lifecycle) == ([], "expired")


def test_a_tool_that_raises_is_reported_as_failed(made: Made, operator: User):
    with person_who(operator), pytest.raises(LookupError):
        go(made(GONE))
    assert Action.objects.get().lifecycle == "failed"


def test_a_paused_thread_goes_on_when_it_was_decided_and_not_before(made: Made, ran: list[Any], operator: User):
    kept, thread = InMemorySaver(), {"configurable": {"thread_id": "1"}}
    paused = made(pauses=True, checkpointer=kept).invoke({"messages": ["checkout hangs"]}, thread)
    action = Action.objects.get()
    assert paused["__interrupt__"][0].value["aap_request_id"] == str(action.id)
    later = made(pauses=True, checkpointer=kept)
    assert "__interrupt__" in later.invoke(Command(resume=True), thread)
    decide(operator, action)
    assert later.invoke(Command(resume=True), thread)["messages"][-1].content == "done"
    assert (ran, Action.objects.get().lifecycle) == ([CHECKOUT], "succeeded")
