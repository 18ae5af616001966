"""What runs is not what was approved: swapped, reworded, drifted. Each is refused, told apart, audited."""

import json
from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import User

from agentconsole.protocol.exact_json import parse_exact
from approvals.models import Action, Drift
from approvals.services.claiming import NotApprovedError, consume_action
from approvals.services.drifting import FingerprintMismatchError
from tests.approvals.aap.calls import call, refusal
from tests.approvals.asking import RESTART, ask_for, claimed, decide, policy
from tests.approvals.attacks.claims import Codes, claim
from tests.cast import AgentCaller

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("whole_chain")]


def test_arguments_swapped_after_the_approval(agent: AgentCaller, operator: User, refused: Codes):
    action = decide(operator, ask_for(agent))
    with pytest.raises(FingerprintMismatchError) as refusal:
        claim(agent, action, service="payments")
    assert [(one["path"], one["before"], one["after"]) for one in refusal.value.data["changes"]] == [
        ("$.arguments.service", '"checkout"', '"payments"')
    ]
    assert Drift.objects.get().is_allowed is False
    assert refused() == ["fingerprint_mismatch"]
    assert Action.objects.get(id=action.id).claimed_at is None


@pytest.mark.parametrize(
    "said",
    [
        {"tool": "restart_all"},
        {"server": "other"},
        {"operation": "delete"},
        {"resource": "prod-db"},
        {"schema_digest": "sha256:0"},
    ],
    ids=lambda said: next(iter(said)),
)
def test_another_tool_with_the_same_arguments(agent: AgentCaller, operator: User, said: dict[str, Any]):
    action = decide(operator, ask_for(agent))
    with pytest.raises(FingerprintMismatchError):
        consume_action(
            instance=agent.instance, action_id=action.id, idempotency_key="k", claimed=replace(claimed(), **said)
        )


def test_prose_that_changes_does_not_matter(agent: AgentCaller, operator: User):
    first = ask_for(agent, agent_reasoning="because")
    second = ask_for(agent, agent_reasoning="it is slow", context={"agentconsole": {"summary": "restart it"}})
    assert first.fingerprint == second.fingerprint
    assert claim(agent, decide(operator, second))


@pytest.mark.parametrize(
    ("asked", "claimed_text"),
    [
        ('{"n": 1}', '{"n": true}'),
        ('{"n": 1}', '{"n": "1"}'),
        ('{"n": 9007199254740993}', '{"n": 9007199254740992}'),
        ('{"n": 0.1}', '{"n": 0.10000000000000001}'),
        ('{"n": 1e400}', '{"n": 1e401}'),
        ('{"n": "$acf:number:1e400"}', '{"n": 1e400}'),
        ('{"n": [1, [2]]}', '{"n": [1, 2]}'),
        ('{"s": "\\u00e9"}', '{"s": "e\\u0301"}'),
        ('{"s": "a"}', '{"s": "a\\u200b"}'),
        ('{"s": "a"}', '{"s": "\\u0430"}'),
        ('{"s": null}', "{}"),
    ],
)
def test_nested_number_and_unicode_tricks(agent: AgentCaller, operator: User, asked: str, claimed_text: str):
    action = decide(operator, ask_for(agent, parse_exact(asked)))
    with pytest.raises(FingerprintMismatchError):
        consume_action(
            instance=agent.instance,
            action_id=action.id,
            idempotency_key="k",
            claimed=claimed(parse_exact(claimed_text)),
        )


def test_the_same_number_written_otherwise(agent: AgentCaller, operator: User):
    action = decide(operator, ask_for(agent, parse_exact('{"n": 1.0, "m": 100}')))
    said = claimed(parse_exact('{"m": 1E2, "n": 1}'))
    assert consume_action(instance=agent.instance, action_id=action.id, idempotency_key="k", claimed=said)


def test_drift_within_the_projection_of_a_compat_rule(agent: AgentCaller, admin: User, operator: User):
    policy(admin, {"name": "slack", "answer": "ask", "mode": "compat", "excluded": ["$.grace_s"]})
    first, second = ask_for(agent), ask_for(agent)
    decide(operator, first), decide(operator, second)
    assert claim(agent, first, grace_s=60)
    assert Drift.objects.get().is_allowed is True
    with pytest.raises(FingerprintMismatchError):
        claim(agent, second, service="payments")


def test_drift_in_pending_mode_is_asked_anew_and_the_old_one_is_dead(agent: AgentCaller, admin: User, operator: User):
    policy(admin, {"name": "careful", "answer": "ask", "mode": "pending"})
    action = decide(operator, ask_for(agent))
    with pytest.raises(FingerprintMismatchError) as refusal:
        claim(agent, action, service="payments")
    new = Action.objects.get(id=refusal.value.data["superseding"])
    assert (new.supersedes_id, new.status, new.instance_id) == (action.id, "pending", agent.instance.id)
    with pytest.raises(NotApprovedError):
        claim(agent, action)
    assert Action.objects.get(id=action.id).lifecycle == "superseded"
    decide(operator, new)
    assert claim(agent, new, service="payments")


def test_no_standing_rule_answers_in_pending_mode(agent: AgentCaller, admin: User, operator: User):
    policy(admin, {"name": "careful", "answer": "ask", "mode": "pending", "tools": ["restart"]})
    action = decide(operator, ask_for(agent))
    policy(
        admin,
        {"name": "payments", "answer": "allow", "arguments": [{"path": "$.service", "op": "eq", "value": "payments"}]},
        {"name": "careful", "answer": "ask", "mode": "pending", "tools": ["restart"]},
    )
    with pytest.raises(FingerprintMismatchError) as refusal:
        claim(agent, action, service="payments")
    assert Action.objects.get(id=refusal.value.data["superseding"]).status == "pending"


def test_a_claim_of_a_megabyte(agent: AgentCaller, operator: User):
    action = decide(operator, ask_for(agent))
    body = json.dumps({"action": {"tool": "restart", "arguments": {**RESTART, "blob": "x" * 1_000_000}}})
    assert refusal(call(agent, "POST", f"/{action.id}/consume", body))[:2] == (400, "request_too_large")
    assert Action.objects.get(id=action.id).claimed_at is None


def test_a_fingerprint_that_was_copied_from_the_approval(agent: AgentCaller, operator: User, refused: Codes):
    action = decide(operator, ask_for(agent))
    said = replace(claimed({**RESTART, "service": "payments"}), fingerprint=action.fingerprint)
    with pytest.raises(FingerprintMismatchError, match="not that of the action that you sent"):
        consume_action(instance=agent.instance, action_id=action.id, idempotency_key="k", claimed=said)
    assert refused() == ["fingerprint_mismatch"]
    assert Action.objects.get(id=action.id).claimed_at is None
