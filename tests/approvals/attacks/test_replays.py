"""An approval, a grant or an idempotency key used again, or somebody else's. Each is refused, told apart, audited."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.utils import timezone

from agentconsole.errors import ForbiddenError, NotFoundError
from approvals.services.asking import IdempotencyConflictError
from approvals.services.claiming import AlreadyConsumedError, consume_action
from approvals.services.delegation import DelegationError, mint_delegation
from approvals.services.ending import cancel_action
from approvals.services.pruning import GrantUsedError, prune_under_grant
from tests.approvals.aap.calls import call, request_text
from tests.approvals.asking import RESTART, ask_for, asked_by, claimed, decide
from tests.approvals.attacks.claims import Codes, claim
from tests.cast import AgentCaller, make_agent

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("whole_chain")]


def test_replay_of_an_approval(agent: AgentCaller, operator: User, refused: Codes):
    action = decide(operator, ask_for(agent))
    claim(agent, action, "first")
    with pytest.raises(AlreadyConsumedError):
        claim(agent, action, "second")
    assert refused() == ["already_consumed"]


def test_replay_of_a_claims_key_with_another_action(agent: AgentCaller, operator: User, refused: Codes):
    action = decide(operator, ask_for(agent))
    claim(agent, action)
    with pytest.raises(IdempotencyConflictError):
        claim(agent, action, service="payments")
    assert refused() == ["idempotency_conflict"]


def test_replay_of_a_requests_key_with_other_fields(agent: AgentCaller, refused: Codes):
    ask_for(agent, key="one")
    assert asked_by(agent, dict(reversed(RESTART.items())), key="one").is_new is False
    with pytest.raises(IdempotencyConflictError):
        ask_for(agent, {**RESTART, "grace_s": 31}, key="one")
    assert refused() == ["idempotency_conflict"]


def test_another_instances_action(agent: AgentCaller, other_instance: AgentCaller, operator: User, refused: Codes):
    action = decide(operator, ask_for(agent))
    for attempt in (claim, lambda who, what: cancel_action(instance=who.instance, action_id=what.id)):
        with pytest.raises(NotFoundError):
            attempt(other_instance, action)
    assert refused() == ["not_found", "not_found"]


def test_another_environments_action(agent: AgentCaller, foreign_agent: AgentCaller, operator: User, refused: Codes):
    action = decide(operator, ask_for(agent))
    with pytest.raises(NotFoundError):
        claim(foreign_agent, action)
    assert refused() == ["not_found"]
    assert ask_for(foreign_agent).fingerprint != action.fingerprint


def test_replay_of_another_instances_keys(
    agent: AgentCaller, other_instance: AgentCaller, operator: User, refused: Codes
):
    action = decide(operator, ask_for(agent, key="one"))
    claim(agent, action, "two")
    assert ask_for(other_instance, key="one").id != action.id
    with pytest.raises(NotFoundError):
        claim(other_instance, action, "two")
    assert refused() == ["not_found"]


def test_replay_of_a_question_after_its_deadline_says_that_it_expired(agent: AgentCaller):
    sent = {"body": request_text(timeout='"10s"'), "Idempotency_Key": "one"}
    assert call(agent, "POST", **sent).json()["status"] == "pending"
    with time_machine.travel(timezone.now() + timedelta(seconds=10), tick=False):
        again = call(agent, "POST", **sent)
    assert (again.status_code, again.json()["status"]) == (200, "expired")


def test_replay_of_a_delegation_for_another_request(agent: AgentCaller, dana: User, refused: Codes):
    facts: dict[str, Any] = {"agent": "triage", "environment": "dev", "now": timezone.now()}
    token = mint_delegation(person=dana, request_id="r-1", **facts)
    assert ask_for(agent, delegation=token, context={"agentconsole": {"request_id": "r-1"}}).is_delegation_verified
    for context in ({"agentconsole": {"request_id": "r-2"}}, {"request_id": "r-2"}):
        with pytest.raises(DelegationError, match="for another request"):
            ask_for(agent, delegation=token, context=context)
    assert refused() == ["invalid_delegation"] * 2


BEFORE = "2026-01-01T00:00:00+00:00"


def grant_to_prune(agent: AgentCaller, person: User) -> str:
    """A grant for the one tool that the console itself serves."""
    fields = {"tool": "prune_runs", "server": "agentconsole"}
    own = {"operation": "runs.prune", "resource": "dev"}
    action = decide(person, ask_for(agent, {"before": BEFORE}, context={"agentconsole": own}, **fields))
    said = claimed({"before": BEFORE}, **fields)
    won = consume_action(instance=agent.instance, action_id=action.id, idempotency_key="k", claimed=said)
    return won.grant or ""


def test_replay_of_a_grant(agent: AgentCaller, operator: User):
    grant = grant_to_prune(agent, operator)
    assert prune_under_grant(instance=agent.instance, grant=grant, before=BEFORE).is_done
    with pytest.raises(GrantUsedError):
        prune_under_grant(instance=agent.instance, grant=grant, before=BEFORE)


def test_another_instances_grant(agent: AgentCaller, other_instance: AgentCaller, operator: User, logged: Any):
    grant = grant_to_prune(agent, operator)
    for thief in (other_instance, make_agent("dev", "other")):
        with pytest.raises(ForbiddenError, match="another agent or instance"):
            prune_under_grant(instance=thief.instance, grant=grant, before=BEFORE)
    assert [line["reason"] for line in logged("GRANT_REFUSED")] == ["not_yours"] * 2
    assert prune_under_grant(instance=agent.instance, grant=grant, before=BEFORE).is_done


def test_another_environments_grant(agent: AgentCaller, foreign_agent: AgentCaller, operator: User):
    with pytest.raises(ForbiddenError, match="another environment"):
        prune_under_grant(instance=foreign_agent.instance, grant=grant_to_prune(agent, operator), before=BEFORE)
