"""Scenario by scenario our answers equal those of the protocol's own FakeProvider, through its own strict client."""

from collections.abc import Callable
from typing import Any

import pytest
from agentapprovalprotocol import AAPError, Client, ConflictError
from agentapprovalprotocol._client import NotFound
from agentapprovalprotocol._wire import Request
from agentapprovalprotocol.testing import FakeProvider
from django.contrib.auth.models import User

from approvals.models import Action, Verdict
from tests.approvals.asking import decide

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

BODY = {"tool": "restart", "arguments": {"service": "checkout", "n": 1}, "timeout": "30m"}
Decide = Callable[[str, str, str], None]


def told(call: Callable[[], Request]) -> dict[str, Any]:
    """An answer without what differs by nature: ids and times."""
    try:
        request = call()
    except ConflictError as error:
        return {"conflict": error.code}
    except NotFound:
        return {"not found": True}
    except AAPError as error:
        return {"refused": str(error)}
    decision, consumption = request.decision, request.consumption
    return {
        "tool": request.tool, "server": request.server, "arguments": request.arguments, "timeout": request.timeout,
        "reasoning": request.agent_reasoning, "context": request.context, "status": request.status,
        "decision": decision and (decision.status, decision.note, decision.expires_at is not None),
        "consumed": consumption is not None,
        "outcome": consumption and consumption.outcome and (consumption.outcome.status, consumption.outcome.note),
    }  # fmt: skip


def ask_and_wait(client: Client, decide_as: Decide) -> list[dict[str, Any]]:
    made = client.create(BODY, "a")
    return [told(lambda: client.get(made.id)), told(lambda: client.create(BODY, "a"))]


def other_fields_under_one_key(client: Client, decide_as: Decide) -> list[dict[str, Any]]:
    client.create(BODY, "b")
    return [told(lambda: client.create({**BODY, "tool": "other"}, "b"))]


def everything_sent_comes_back(client: Client, decide_as: Decide) -> list[dict[str, Any]]:
    body = {
        **BODY,
        "server": "k8s",
        "agent_reasoning": "it is slow",
        "arguments": {"big": 2**53 + 1, "half": 0.5, "list": [None, True, {}], "é": "\u202e", "": ""},
        "context": {"session_id": "s", "deep": {"a": [1, 2.5]}},
    }
    return [told(lambda: client.create(body, "c"))]


def cancelled_twice(client: Client, decide_as: Decide) -> list[dict[str, Any]]:
    made = client.create(BODY, "d")
    return [told(lambda: client.cancel(made.id)), told(lambda: client.cancel(made.id))]


def cancelled_after_the_decision(client: Client, decide_as: Decide) -> list[dict[str, Any]]:
    made = client.create(BODY, "e")
    decide_as(made.id, "approved", "fine")
    return [told(lambda: client.cancel(made.id))]


def denied_with_a_note(client: Client, decide_as: Decide) -> list[dict[str, Any]]:
    made = client.create(BODY, "f")
    decide_as(made.id, "denied", "not during the freeze")
    return [told(lambda: client.get(made.id, wait=5)), told(lambda: client.consume(made.id, "k"))]


def consumed_and_reported(client: Client, decide_as: Decide) -> list[dict[str, Any]]:
    made = client.create(BODY, "g")
    early = told(lambda: client.report_outcome(made.id, "succeeded"))
    decide_as(made.id, "approved", "fine")
    return [
        early,
        told(lambda: client.report_outcome(made.id, "succeeded")),
        told(lambda: client.consume(made.id, "k")),
        told(lambda: client.consume(made.id, "k")),
        told(lambda: client.consume(made.id, "other")),
        told(lambda: client.report_outcome(made.id, "failed", "no pods")),
        told(lambda: client.report_outcome(made.id, "failed", "no pods")),
        told(lambda: client.report_outcome(made.id, "succeeded")),
        told(lambda: client.get(made.id)),
        told(lambda: client.create(BODY, "g")),
    ]


def consumed_too_soon(client: Client, decide_as: Decide) -> list[dict[str, Any]]:
    made = client.create(BODY, "h")
    return [told(lambda: client.consume(made.id, "k"))]


def nobody_knows_it(client: Client, decide_as: Decide) -> list[dict[str, Any]]:
    unknown = "7ab8c8ec-7b2d-4fd6-9b52-752f9515eb71"
    return [told(lambda: client.get(unknown)), told(lambda: client.cancel(unknown))]


SCENARIOS = [
    ask_and_wait, other_fields_under_one_key, everything_sent_comes_back, cancelled_twice, cancelled_after_the_decision,
    denied_with_a_note, consumed_and_reported, consumed_too_soon, nobody_knows_it,
]  # fmt: skip


def test_each_scenario_is_answered_as_the_fake_provider_does(client: Client, operator: User):
    fake = FakeProvider(auto=None)
    verdicts = {"approved": Verdict.APPROVE, "denied": Verdict.DENY}

    def decide_here(request_id: str, status: str, note: str) -> None:
        decide(operator, Action.objects.get(id=request_id), verdicts[status], note)

    for scenario in SCENARIOS:
        ours = scenario(client, decide_here)
        theirs = scenario(fake.client(), fake.decide)
        assert ours == theirs, scenario.__name__


def test_an_approval_that_lapsed_is_told_apart(client: Client, operator: User):
    """FakeProvider says the same, given a validity that is over: kept apart, because no clock is turned in a process."""
    made = client.create(BODY, "z")
    decide(operator, Action.objects.get(id=made.id))
    action = Action.objects.get(id=made.id)
    Action.objects.filter(id=made.id).update(expires_at=action.decided_at)
    assert told(lambda: client.consume(made.id, "k")) == {"conflict": "approval_expired"}
