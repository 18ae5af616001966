"""What became of an action is told apart in words, each of its ends from every other."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client

from approvals.models import Action, OutcomeStatus
from approvals.services.reporting import report_outcome
from tests.approvals.asking import ask_for, decide, policy
from tests.approvals.pages.reading import claim, ended, main_of
from tests.cast import AgentCaller

pytestmark = pytest.mark.django_db
SignIn = Callable[[User], Client]

SAID = {
    "pending": "waits for a decision",
    "approved": "Not started yet.",
    "lapsed": "and not started in time. It can't run any more.",
    "denied": "Rejected by omar",
    "expired": "Nobody decided in time. That is not a rejection",
    "cancelled": "Withdrawn by triage/one",
    "claimed": "No outcome reported yet.",
    "succeeded": "The agent reports that it succeeded",
    "failed": "The agent reports that it failed",
    "unknown": "nobody reported what became of it",
    "reconciled": "Outcome was unknown; omar found that it failed",
}


@pytest.mark.parametrize("word", SAID)
def test_each_state_has_words_of_its_own(word: str, agent: AgentCaller, operator: User, viewer: User, sign_in: SignIn):
    text = main_of(sign_in(viewer), ended(word, agent, operator))
    assert [other for other, said in SAID.items() if said in text] == [word]


def test_a_superseded_action_leads_to_the_one_in_its_place(
    agent: AgentCaller, admin: User, operator: User, sign_in: SignIn
):
    policy(admin, {"name": "careful", "answer": "ask", "mode": "pending"})
    old = decide(operator, ask_for(agent))
    claim(agent, old, service="payments")
    new = Action.objects.get(supersedes=old)
    client = sign_in(operator)
    assert f'href="/approvals/{new.id}/"' in client.get(f"/approvals/{old.id}/").content.decode()
    assert "Superseded" in main_of(client, old)
    text = main_of(client, new)
    assert text.index("How this differs from what had been approved") < text.index("What will run")


def test_drift_that_the_policy_lets_through_is_shown(agent: AgentCaller, admin: User, operator: User, sign_in: SignIn):
    policy(admin, {"name": "slack", "answer": "ask", "mode": "compat", "excluded": ["$.grace_s"]})
    action = decide(operator, ask_for(agent))
    assert "but $.grace_s may differ" in main_of(sign_in(operator), ask_for(agent))
    claim(agent, action, grace_s=99)
    text = main_of(sign_in(operator), action)
    assert "Let through" in text
    assert "$.arguments.grace_s changed 30 99" in text


def test_what_an_agent_reports_hides_nothing(agent: AgentCaller, operator: User, sign_in: SignIn):
    action = decide(operator, ask_for(agent))
    claim(agent, action)
    report_outcome(
        instance=agent.instance, action_id=action.id, status=OutcomeStatus.FAILED, note="not \u202edoog\u200b"
    )
    page = sign_in(operator).get(f"/approvals/{action.id}/").content.decode()
    assert "⟨U+202E⟩" in page
    assert "\u202e" not in page


def test_an_outcome_that_nobody_knows_is_found_out_by_form(agent: AgentCaller, operator: User, sign_in: SignIn):
    action, client = ended("unknown", agent, operator), sign_in(operator)
    refused = client.post(f"/approvals/{action.id}/reconcile", {"found": "unknown", "note": "?"})
    assert refused.status_code == 400
    assert client.post(f"/approvals/{action.id}/reconcile", {"found": "failed", "note": "saw it"}).status_code == 302
    assert Action.objects.get(id=action.id).lifecycle == "failed"
