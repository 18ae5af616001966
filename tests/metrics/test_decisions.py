"""What becomes of actions: counted when it is committed, with the kind of who decided and never who."""

from uuid import uuid4

import pytest
from django.db import transaction

from agentconsole.errors import ConsoleError
from approvals.models import OutcomeStatus, Verdict
from approvals.services.claiming import consume_action
from approvals.services.ending import cancel_action
from approvals.services.reporting import report_outcome
from tests.approvals.asking import ask_for, decide
from tests.cast import AgentCaller

pytestmark = pytest.mark.django_db(transaction=True)
ENTRIES = "agentconsole_audit_entries_total"
WAIT = "agentconsole_approval_wait_seconds_count"


def test_a_decision_is_counted_with_its_status_and_kind(agent: AgentCaller, operator, moved) -> None:
    asked, denied = moved(ENTRIES, token="APPROVAL_REQUESTED"), moved(ENTRIES, token="APPROVAL_DENIED")
    by_person = moved(WAIT, environment="dev", status="denied", by="person")
    decide(operator, ask_for(agent), Verdict.DENY)
    assert (asked(), denied(), by_person()) == (1, 1, 1)


def test_what_an_agent_withdraws_is_not_a_decision_of_people(agent: AgentCaller, moved) -> None:
    by_agent, by_person = moved(WAIT, status="cancelled", by="agent"), moved(WAIT, by="person")
    cancel_action(instance=agent.instance, action_id=ask_for(agent).id)
    assert (by_agent(), by_person()) == (1, 0)


def test_claims_and_outcomes_are_counted(agent: AgentCaller, operator, moved) -> None:
    claims, failed = (
        moved(ENTRIES, token="APPROVAL_CLAIMED"),
        moved("agentconsole_approval_outcomes_total", outcome="failed"),
    )
    action = decide(operator, ask_for(agent))
    consume_action(instance=agent.instance, action_id=action.id, idempotency_key="k")
    for _ in range(2):
        report_outcome(instance=agent.instance, action_id=action.id, status=OutcomeStatus.FAILED, note=None)
    assert (claims(), failed()) == (1, 1)


def test_a_claim_that_is_refused_is_counted_by_its_code(agent: AgentCaller, moved) -> None:
    refused = moved("agentconsole_approvals_refused_total", token="APPROVAL_CLAIM_REFUSED", code="not_approved")
    with pytest.raises(ConsoleError):
        consume_action(instance=agent.instance, action_id=ask_for(agent).id, idempotency_key=str(uuid4()))
    assert refused() == 1


def test_what_is_rolled_back_did_not_happen(agent: AgentCaller, operator, moved) -> None:
    action = ask_for(agent)
    entries, ended = moved(ENTRIES), moved(WAIT)
    with transaction.atomic():
        decide(operator, action)
        transaction.set_rollback(True)
    assert (entries(), ended()) == (0, 0)
