"""The Claude Agent SDK behind the queue: the real `claude`, before an API that is ours."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from agentapprovalprotocol.claude_agent_sdk import resumer
from claude_agent_sdk import ClaudeAgentOptions, ResultMessage, create_sdk_mcp_server, query, tool
from django.contrib.auth.models import User

from approvals.models import Action, Verdict
from tests.approvals.asking import decide, person_who
from tests.approvals.frameworks.anthropic_api import serving
from tests.approvals.frameworks.calls import CHECKOUT, GONE
from tests.approvals.frameworks.snippets import as_documented
from tests.cast import AgentCaller

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

Go = Callable[..., Any]


@pytest.fixture(autouse=True)
def _at_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A home of its own: no settings, sessions or accounts of whoever runs the tests."""
    for name in [name for name in os.environ if name.startswith(("ANTHROPIC_", "CLAUDE"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    own = {
        "HOME": str(tmp_path),
        "TMPDIR": str(tmp_path),
        "CLAUDE_CONFIG_DIR": str(tmp_path / "claude"),
        "ANTHROPIC_API_KEY": "fake",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        # Otherwise the model would have to look its tool up first.
        "ENABLE_TOOL_SEARCH": "false",
    }
    for name, value in own.items():
        monkeypatch.setenv(name, value)


async def run(options: ClaudeAgentOptions) -> list[Any]:
    """All messages of a run."""
    return [message async for message in query(prompt="checkout hangs", options=options)]


@pytest.fixture
def go(url: str, agent: AgentCaller, restart: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> Go:
    """What comes of something done with the documented options, by default of a run; and what the model was told."""

    @tool("restart", "Restart a service", {"service": str, "grace_s": float})
    async def restarting(arguments: dict[str, Any]) -> dict[str, Any]:
        return {"content": [{"type": "text", "text": restart(**arguments)}]}

    async def live(do: Callable[..., Any], *, pauses: bool) -> Any:
        servers = {"ops": create_sdk_mcp_server("ops", tools=[restarting])}
        defined = as_documented("Claude Agent SDK", url, pauses=pauses, servers=servers, token=agent.token)
        try:
            return await do(defined["options"])
        finally:
            await defined["approvals"].gate.client.aclose()

    def go(
        do: Callable[..., Any] = run,
        arguments: dict[str, Any] = CHECKOUT,
        *,
        called: str = "mcp__ops__restart",
        pauses: bool = False,
    ) -> Any:
        with serving(called, arguments) as api:
            monkeypatch.setenv("ANTHROPIC_BASE_URL", api.url)
            return asyncio.run(live(do, pauses=pauses)), api.told

    return go


def test_an_approved_call_runs_once_as_asked(go: Go, ran: list[Any], operator: User):
    with person_who(operator):
        messages, told = go()
    assert (ran, messages[-1].result) == ([CHECKOUT], "done")
    assert "restarted" in told[0]
    action = Action.objects.get()
    assert (action.lifecycle, action.tool, action.server) == ("succeeded", "restart", "ops")


def test_a_denied_call_does_not_run_and_the_model_is_told_why(go: Go, ran: list[Any], operator: User):
    with person_who(operator, Verdict.DENY):
        _messages, told = go()
    assert "as asked" in told[0]
    assert (ran, Action.objects.get().lifecycle) == ([], "denied")


def test_a_tool_of_its_own_is_held_too(go: Go, tmp_path: Path, operator: User):
    with person_who(operator, Verdict.DENY):
        _messages, told = go(called="Bash", arguments={"command": "touch ran", "description": "Look around"})
    assert "as asked" in told[0]
    assert not (tmp_path / "ran").exists()
    action = Action.objects.get()
    assert (action.lifecycle, action.tool, action.server) == ("denied", "Bash", "")


def test_a_tool_that_raises_is_reported_as_failed(go: Go, operator: User):
    with person_who(operator):
        _messages, told = go(arguments=GONE)
    assert "no such service" in told[0]
    assert Action.objects.get().lifecycle == "failed"


def test_a_paused_session_goes_on_when_it_was_decided_and_not_before(
    go: Go, ran: list[Any], delivered: Callable[..., Any], operator: User
):
    messages, told = go(pauses=True)
    assert (messages[-1].stop_reason, told) == ("tool_deferred", [])
    action = Action.objects.get()
    woken: list[Any] = []

    def wake(options: ClaudeAgentOptions) -> Any:
        return resumer(options, on_message=woken.append)(*delivered(action))

    go(wake, pauses=True)
    assert (ran, woken[-1].stop_reason) == ([], "tool_deferred")
    decide(operator, action)
    go(wake, pauses=True)
    assert isinstance(woken[-1], ResultMessage)
    assert (ran, woken[-1].result, Action.objects.get().lifecycle) == ([CHECKOUT], "done", "succeeded")
