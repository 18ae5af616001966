"""An action from the question to the report, and each way in which it may end."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.utils import timezone

from approvals.models import Action, AuditEntry, OutcomeStatus, Verdict
from approvals.queries.audit import verify_chain
from approvals.services.claiming import (
    AlreadyConsumedError,
    ApprovalExpiredError,
    NotApprovedError,
    consume_action,
)
from approvals.services.ending import AlreadyTerminalError, cancel_action, expire_due_actions
from approvals.services.reporting import OutcomeConflictError, mark_unknown_outcomes, reconcile_outcome, report_outcome
from tests.approvals.asking import ask_for, claimed, decide
from tests.cast import AgentCaller

pytestmark = pytest.mark.django_db


def test_asked_approved_claimed_reported(agent: AgentCaller, operator: User):
    action = ask_for(agent)
    decide(operator, action)
    claim = consume_action(instance=agent.instance, action_id=action.id, idempotency_key="k", claimed=claimed())
    done = report_outcome(instance=agent.instance, action_id=action.id, status=OutcomeStatus.SUCCEEDED, note="up")
    assert claim.fingerprint == action.fingerprint
    assert claim.grant
    assert done.lifecycle == "succeeded"
    tokens = list(AuditEntry.objects.order_by("seq").values_list("token", flat=True))
    assert [token for token in tokens if token.startswith("APPROVAL_")] == [
        "APPROVAL_REQUESTED", "APPROVAL_VOTED", "APPROVAL_APPROVED", "APPROVAL_CLAIMED", "APPROVAL_OUTCOME_REPORTED",
    ]  # fmt: skip
    assert not verify_chain().broken


def test_a_denied_action_is_not_claimed(agent: AgentCaller, operator: User):
    action = ask_for(agent)
    assert decide(operator, action, Verdict.DENY, "not now").status == "denied"
    with pytest.raises(NotApprovedError):
        consume_action(instance=agent.instance, action_id=action.id, idempotency_key="k")


def test_the_same_claim_again_gets_the_same_grant(agent: AgentCaller, operator: User):
    action = decide(operator, ask_for(agent))
    first, again = (
        consume_action(instance=agent.instance, action_id=action.id, idempotency_key="k", claimed=claimed())
        for _ in range(2)
    )
    assert first.grant == again.grant
    with pytest.raises(AlreadyConsumedError):
        consume_action(instance=agent.instance, action_id=action.id, idempotency_key="other", claimed=claimed())


def test_an_approval_lapses_at_its_start_by_time(agent: AgentCaller, operator: User):
    action = decide(operator, ask_for(agent))
    assert action.expires_at is not None
    with time_machine.travel(action.expires_at, tick=False), pytest.raises(ApprovalExpiredError):
        consume_action(instance=agent.instance, action_id=action.id, idempotency_key="k")
    with time_machine.travel(action.expires_at - timedelta(milliseconds=1), tick=False):
        consume_action(instance=agent.instance, action_id=action.id, idempotency_key="k")


def test_nobody_decides_and_it_expires(agent: AgentCaller):
    action = ask_for(agent, timeout="10s")
    with time_machine.travel(timezone.now() + timedelta(seconds=10), tick=False):
        assert expire_due_actions() == 1
    assert Action.objects.get(id=action.id).status == "expired"
    with pytest.raises(AlreadyTerminalError):
        cancel_action(instance=agent.instance, action_id=action.id)


def test_a_withdrawn_action_stays_withdrawn(agent: AgentCaller):
    action = ask_for(agent)
    first = cancel_action(instance=agent.instance, action_id=action.id)
    again = cancel_action(instance=agent.instance, action_id=action.id)
    assert (first.status, first.decided_at) == (again.status, again.decided_at) == ("cancelled", first.decided_at)


def test_an_outcome_that_never_came_is_unknown_until_a_person_finds_out(agent: AgentCaller, operator: User):
    action = decide(operator, ask_for(agent))
    consume_action(instance=agent.instance, action_id=action.id, idempotency_key="k")
    with time_machine.travel(timezone.now() + timedelta(minutes=16), tick=False):
        assert mark_unknown_outcomes() == 1
        assert Action.objects.get(id=action.id).lifecycle == "unknown"
        found = reconcile_outcome(
            person=operator, action_id=action.id, found=OutcomeStatus.SUCCEEDED, note="it is up since 02:11"
        )
    assert found.lifecycle == "succeeded"


def test_a_second_report_that_differs_is_refused(agent: AgentCaller, operator: User):
    action = decide(operator, ask_for(agent))
    consume_action(instance=agent.instance, action_id=action.id, idempotency_key="k")
    report_outcome(instance=agent.instance, action_id=action.id, status=OutcomeStatus.FAILED, note="x")
    report_outcome(instance=agent.instance, action_id=action.id, status=OutcomeStatus.FAILED, note="x")
    with pytest.raises(OutcomeConflictError):
        report_outcome(instance=agent.instance, action_id=action.id, status=OutcomeStatus.SUCCEEDED, note=None)
