"""Questions that may not be asked: forged, revoked, secret, too large. Each is refused, told apart, audited."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from agentconsole.errors import UnauthorizedError
from agentconsole.protocol.ids import uuid7
from approvals.models import Action
from approvals.services.asking import SecretInRequestError
from approvals.services.delegation import DelegationError, mint_delegation
from approvals.services.grants import sign_claims
from approvals.services.keys import ensure_signing_key
from runs.services.credentials import revoke_credential
from tests.approvals.aap.calls import call, refusal, request_text
from tests.approvals.asking import ask_for, policy
from tests.approvals.attacks.claims import Codes
from tests.cast import AgentCaller

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("whole_chain")]


def test_a_forged_delegation(agent: AgentCaller, dana: User, refused: Codes):
    now = timezone.now()
    facts: dict[str, Any] = {"agent": "triage", "environment": "dev", "request_id": "r", "now": now}
    good = mint_delegation(person=dana, **facts)
    assert ask_for(agent, delegation=good).is_delegation_verified
    forged = [
        good[:-4] + "AAAA",
        mint_delegation(person=dana, **{**facts, "agent": "other"}),
        mint_delegation(person=dana, **{**facts, "environment": "prod"}),
        mint_delegation(person=dana, **{**facts, "now": now - timedelta(minutes=11)}),
        sign_claims({"kid": ensure_signing_key().kid, "sub": "dana", "agent": "triage"}, "acg+jwt"),
        "eyJhbGciOiJub25lIn0.e30.",
    ]
    for token in forged:
        with pytest.raises(DelegationError):
            ask_for(agent, delegation=token)
    assert refused() == ["invalid_delegation"] * len(forged)


def test_a_claimed_delegation_where_a_proof_is_demanded(agent: AgentCaller, admin: User):
    policy(admin, {"name": "proof", "answer": "ask", "needs_delegation": True})
    action = ask_for(agent, context={"agentconsole": {"on_behalf_of": "dana"}})
    assert (action.status, "verified delegation" in action.note) == ("denied", True)


def test_a_revoked_credential_that_asks(agent: AgentCaller, refused: Codes):
    revoke_credential(actor="ada", instance_id=agent.instance.id)
    with pytest.raises(UnauthorizedError):
        ask_for(agent)
    assert refused() == ["unauthorized"]


@pytest.mark.parametrize(
    "arguments",
    [{"password": "hunter22"}, {"headers": {"Authorization": "Bearer abcdef123456"}}, {"cmd": "x --password=abc12345"}],
    ids=["by name", "header", "in text"],
)
def test_a_secret_in_the_arguments(agent: AgentCaller, arguments: dict[str, object], refused: Codes):
    with pytest.raises(SecretInRequestError) as refusal:
        ask_for(agent, arguments)
    assert "hunter22" not in str(refusal.value)
    assert refused() == ["secret_in_request"]
    assert not Action.objects.exists()


def test_an_argument_of_a_megabyte(agent: AgentCaller, refused: Codes):
    body = json.dumps({"tool": "x", "timeout": "1m", "arguments": {"blob": "x" * 1_000_000}})
    answer = Client().post(
        "/api/aap/v1/requests",
        body,
        content_type="application/json",
        headers={**agent.headers, "Idempotency-Key": str(uuid7())},
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "request_too_large")
    assert refused() == ["request_too_large"]
    assert not Action.objects.exists()


def test_a_forged_delegation_at_the_door(agent: AgentCaller, dana: User, refused: Codes):
    good = mint_delegation(person=dana, agent="triage", environment="dev", request_id="", now=timezone.now())
    for token in (good[:-4] + "AAAA", "x", good + "."):
        answer = call(agent, "POST", "", request_text(), X_Console_Delegation=token)
        assert refusal(answer)[:2] == (400, "invalid_delegation")
    assert refused() == ["invalid_delegation"] * 3
    assert not Action.objects.exists()
