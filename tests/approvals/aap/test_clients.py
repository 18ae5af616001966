"""The PyPI package's clients, gates and receiver, unmodified, before a running console."""

import asyncio

import pytest
from agentapprovalprotocol import Allow, AsyncClient, AsyncGate, Call, Client, Deny, Gate, Pending
from django.contrib.auth.models import User

from approvals.models import Action, Verdict
from tests.approvals.asking import decide, person_who
from tests.cast import AgentCaller

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


def test_a_gate_waits_runs_and_reports(client: Client, operator: User):
    with person_who(operator), Gate(client).guard(Call(key="1", tool="restart", arguments={"n": 1.0})) as verdict:
        assert isinstance(verdict, Allow)
    assert Action.objects.get().lifecycle == "succeeded"


def test_a_gate_denies_with_the_reviewers_words(client: Client, operator: User):
    with person_who(operator, Verdict.DENY):
        verdict = Gate(client).check(Call(key="1", tool="restart", arguments={}))
    assert isinstance(verdict, Deny)
    assert "as asked" in verdict.reason


def test_a_gate_that_pauses_comes_back_to_the_same_request(client: Client, operator: User):
    gate, call = Gate(client, mode="async"), Call(key="1", tool="restart", arguments={"n": 2**60})
    assert isinstance(gate.check(call), Pending)
    decide(operator, Action.objects.get())
    assert isinstance(gate.check(call), Allow)
    assert isinstance(gate.check(call), Deny)
    assert Action.objects.count() == 1


def test_an_asynchronous_gate(base_url: str, agent: AgentCaller, operator: User):
    async def check() -> bool:
        client = AsyncClient(base_url, agent.token)
        try:
            async with AsyncGate(client).guard(Call(key="1", tool="restart", arguments={})) as verdict:
                return bool(verdict)
        finally:
            await client.aclose()

    with person_who(operator):
        assert asyncio.run(check())
    assert Action.objects.get().lifecycle == "succeeded"


def test_a_poll_is_answered_by_its_decision(client: Client, operator: User):
    made = client.create({"tool": "x", "arguments": {}, "timeout": "1h"}, "k")
    with person_who(operator):
        assert client.get(made.id, wait=25).status == "approved"


def test_a_poll_sees_the_deadline_pass(client: Client):
    made = client.create({"tool": "x", "arguments": {}, "timeout": "2s"}, "k")
    assert client.get(made.id, wait=25).status == "expired"


def test_a_poll_that_waited_in_vain_says_pending(client: Client):
    made = client.create({"tool": "x", "arguments": {}, "timeout": "1h"}, "k")
    assert client.get(made.id, wait=1).status == "pending"
