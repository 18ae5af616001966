"""A poll that waits: what ends it, what it gives back, and how many may wait. Before the whole ASGI application, in one loop."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from unittest import mock

import pytest
from asgiref.testing import ApplicationCommunicator
from channels.db import database_sync_to_async
from django.contrib.auth.models import User

from agentconsole import lifecycle
from agentconsole.asgi import application
from agentconsole.live import hub as hubs
from agentconsole.live import socket as sockets
from approvals.aap import polls
from approvals.models import Action, Verdict
from approvals.services.ending import cancel_action
from runs.services.credentials import revoke_credential
from tests.approvals.asking import ask_for, decide
from tests.cast import AgentCaller

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE_S = 10
OWN = "1184dfc5-0e86-4f88-9b68-882b1dc60467"


class Poll:
    """One `GET …?wait=…` before the application."""

    def __init__(self, action: Action, agent: AgentCaller, query: str = "wait=30s", *, token: str = "") -> None:
        headers = {"host": "localhost", "authorization": f"Bearer {token or agent.token}", "x-request-id": OWN}
        scope = {
            "type": "http", "method": "GET", "path": f"/api/aap/v1/requests/{action.id}", "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()], "http_version": "1.1",
        }  # fmt: skip
        self.wire = ApplicationCommunicator(application, scope)

    async def send(self) -> "Poll":
        await self.wire.send_input({"type": "http.request", "body": b"", "more_body": False})
        return self

    async def answer(self) -> tuple[int, dict[str, Any], dict[str, str]]:
        """Status, body and headers, once it is answered and has given back all it took."""
        start = await self.wire.receive_output(PATIENCE_S)
        body = await self.wire.receive_output(PATIENCE_S)
        await self.wire.wait(PATIENCE_S)
        headers = {name.decode(): value.decode() for name, value in start["headers"]}
        return start["status"], json.loads(body["body"]), headers

    async def leave(self) -> None:
        """The client goes away."""
        await self.wire.send_input({"type": "http.disconnect"})
        await self.wire.wait(PATIENCE_S)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not holds():  # noqa: ASYNC110  what it waits for tells nobody
            await asyncio.sleep(0.01)


@pytest.fixture
async def at_rest() -> AsyncIterator[None]:
    """Whatever the test did, nothing of it waits, listens or runs afterwards."""
    yield
    assert (polls._waiting, polls._drains) == ({}, set())
    await until(lambda: asyncio.all_tasks() == {asyncio.current_task()})
    assert asyncio.get_running_loop() not in hubs._hubs


@asynccontextmanager
async def waiting(action: Action, agent: AgentCaller, *queries: str) -> AsyncIterator[list[Poll]]:
    """Polls that wait by now."""
    made = [await Poll(action, agent, query).send() for query in queries or ("wait=30s",)]
    await until(lambda: len(polls._drains) == len(made))
    yield made


def thread(function: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
    return database_sync_to_async(function)


@pytest.mark.parametrize("verdict", [Verdict.APPROVE, Verdict.DENY])
async def test_a_decision_answers_all_who_wait(agent: AgentCaller, operator: User, at_rest: None, verdict: Verdict):
    action = await thread(ask_for)(agent)
    async with waiting(action, agent, *["wait=30s"] * 3) as all_of_them:
        ended = await thread(decide)(operator, action, verdict)
        for poll in all_of_them:
            status, body, headers = await poll.answer()
            assert (status, body["decision"]["status"], headers["x-request-id"]) == (200, ended.status, OWN)
            assert headers["cache-control"] == "no-store"


async def test_a_withdrawal_answers_who_waits(agent: AgentCaller, at_rest: None):
    action = await thread(ask_for)(agent)
    async with waiting(action, agent) as [poll]:
        await thread(cancel_action)(instance=agent.instance, action_id=action.id)
        assert (await poll.answer())[1]["status"] == "cancelled"


async def test_the_deadline_answers_who_waits_without_any_sweep(agent: AgentCaller, at_rest: None):
    action = await thread(ask_for)(agent, timeout="1s")
    poll = await Poll(action, agent).send()
    body = (await poll.answer())[1]
    assert (body["status"], body["decision"]["status"]) == ("expired", "expired")


async def test_what_is_over_is_answered_at_once(agent: AgentCaller, operator: User, at_rest: None):
    action = await thread(lambda: decide(operator, ask_for(agent)))()
    with mock.patch.object(polls, "_wait", side_effect=AssertionError("it waited")):
        assert (await (await Poll(action, agent).send()).answer())[1]["status"] == "approved"


async def test_a_process_that_drains_answers_at_once_and_lets_nobody_wait(
    agent: AgentCaller, at_rest: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    drain = mock.Mock(is_set=mock.Mock(return_value=False))
    monkeypatch.setattr(lifecycle, "_draining", drain)
    action = await thread(ask_for)(agent)
    async with waiting(action, agent) as [poll]:
        drain.is_set.return_value = True
        assert (await poll.answer())[1]["status"] == "pending"
    assert (await (await Poll(action, agent).send()).answer())[1]["status"] == "pending"


async def test_a_client_that_leaves_leaves_nothing_behind(agent: AgentCaller, at_rest: None, logged: Any):
    action = await thread(ask_for)(agent)
    async with waiting(action, agent, "wait=30s", "wait=30s") as [one, other]:
        await one.leave()
        assert len(polls._drains) == 1
        await other.leave()
    assert one.wire.output_queue.empty()
    assert [line["status"] for line in logged("REQUEST_FINISHED")] == [0, 0]


async def test_a_poll_is_never_taken_for_a_slow_browser(
    agent: AgentCaller, operator: User, at_rest: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It confirms nothing over a wire, and would be closed after ACK_WITHIN_S."""
    monkeypatch.setattr(hubs, "POLL_EVERY_S", 0.01)
    monkeypatch.setattr(sockets, "ACK_WITHIN_S", -1.0)
    action = await thread(ask_for)(agent)
    async with waiting(action, agent) as [poll]:
        hub = hubs.running_hub()
        [socket] = hub._sockets
        await until(lambda: socket.sent > 0)
        with mock.patch.object(hub._probe, "has_changed", side_effect=[False] * 5) as turns:
            await until(lambda: turns.call_count > 2)
        assert not socket.is_closed
        await thread(decide)(operator, action)
        assert (await poll.answer())[1]["status"] == "approved"


async def test_a_change_that_ends_nothing_ends_no_wait(
    agent: AgentCaller, admin: User, operator: User, dana: User, at_rest: None
) -> None:
    from tests.approvals.asking import policy

    await thread(policy)(admin, {"name": "two", "answer": "ask", "approvals": 2})
    action = await thread(ask_for)(agent)
    async with waiting(action, agent) as [poll]:
        [socket] = hubs.running_hub()._sockets
        await until(lambda: socket.sent == 1)
        await thread(decide)(operator, action)
        await until(lambda: socket.sent > 1)
        assert poll.wire.output_queue.empty()
        await thread(decide)(dana, action)
        assert (await poll.answer())[1]["status"] == "approved"


async def test_a_request_that_is_pruned_meanwhile_is_not_found(agent: AgentCaller, at_rest: None):
    action = await thread(ask_for)(agent)
    async with waiting(action, agent) as [poll]:
        await thread(lambda: Action.objects.filter(id=action.id).delete())()
        status, body, _headers = await poll.answer()
    assert (status, body["error"]["code"], body["error"]["request_id"]) == (404, "not_found", OWN)


async def test_more_polls_than_a_credential_may_have_wait(
    agent: AgentCaller, other_instance: AgentCaller, at_rest: None, settings: Any
) -> None:
    settings.AAP_POLLS_MAX = 2
    action, theirs = await thread(ask_for)(agent), await thread(ask_for)(other_instance)
    async with waiting(action, agent, "wait=30s", "wait=30s") as mine:
        status, body, headers = await (await Poll(action, agent).send()).answer()
        assert (status, body["error"]["type"], headers["retry-after"]) == (429, "rate_limit", "5")
        foreign = await Poll(theirs, other_instance).send()
        await until(lambda: len(polls._drains) == 3)
        for poll in [*mine, foreign]:
            await poll.leave()
    assert (await (await Poll(action, agent, "wait=1s").send()).answer())[0] == 200


@pytest.mark.parametrize("query", ["wait=", "wait=30", "wait=-1s", "wait=soon", "wait=1s&wait=1s"])
async def test_a_wait_that_is_none_is_refused(agent: AgentCaller, at_rest: None, query: str):
    action = await thread(ask_for)(agent)
    status, body, _headers = await (await Poll(action, agent, query).send()).answer()
    assert (status, body["error"]["code"], body["error"]["param"]) == (400, "invalid_request", "wait")


async def test_who_may_not_read_may_not_wait(agent: AgentCaller, other_instance: AgentCaller, at_rest: None):
    action = await thread(ask_for)(agent)
    assert (await (await Poll(action, other_instance).send()).answer())[0] == 404
    assert (await (await Poll(action, agent, token="nobody's").send()).answer())[0] == 401
    await thread(revoke_credential)(actor="ada", instance_id=agent.instance.id)
    status, body, headers = await (await Poll(action, agent).send()).answer()
    assert (status, body["error"]["type"], headers["x-request-id"]) == (401, "authentication", OWN)
    assert headers["www-authenticate"].startswith("Bearer")


async def test_waiting_is_a_sign_of_life_that_no_page_takes_for_a_change(agent: AgentCaller, at_rest: None):
    action = await thread(ask_for)(agent)
    async with waiting(action, agent) as [poll]:
        now = await Action.objects.aget(id=action.id)
        assert now.last_polled_at is not None
        assert (now.version, now.updated_at) == (action.version, action.updated_at)
        await poll.leave()
