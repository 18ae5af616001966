"""Too late, on an old page, half read, or under rules that changed meanwhile. Each is refused, told apart, audited."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Group, User
from django.utils import timezone

from approvals.models import Action, Verdict
from approvals.services.claiming import ApprovalExpiredError, NotApprovedError
from approvals.services.deciding import (
    AlreadyDecidedError,
    PolicyDeniesError,
    ReasonRequiredError,
    Shown,
    StaleDecisionError,
    UnopenedValuesError,
)
from approvals.services.glass import break_glass
from tests.approvals.asking import ask_for, decide, policy, shown
from tests.approvals.attacks.claims import Codes, claim
from tests.approvals.pages.test_desk import form
from tests.cast import AgentCaller

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("whole_chain")]


def test_expired_at_the_last_millisecond(agent: AgentCaller, operator: User):
    action = ask_for(agent, timeout="10s")
    seen = shown(action)
    with time_machine.travel(action.deadline_at, tick=False), pytest.raises(AlreadyDecidedError):
        decide(operator, action, shown=seen)
    assert Action.objects.get(id=action.id).status == "expired"


def test_approved_too_late_to_start(agent: AgentCaller, operator: User, refused: Codes):
    action = decide(operator, ask_for(agent))
    with time_machine.travel(timezone.now() + timedelta(seconds=300), tick=False), pytest.raises(ApprovalExpiredError):
        claim(agent, action)
    assert refused() == ["approval_expired"]


def test_a_policy_that_was_edited_between_the_question_and_the_verdict(agent: AgentCaller, admin: User, operator: User):
    action = ask_for(agent)
    policy(admin, {"name": "two", "answer": "ask", "approvals": 2})
    assert decide(operator, action).status == "pending"
    policy(admin, {"name": "none", "answer": "deny"})
    with pytest.raises(PolicyDeniesError):
        decide(admin, action)
    assert Action.objects.get(id=action.id).status == "denied"


def test_a_policy_that_was_loosened_after_the_question(agent: AgentCaller, admin: User, operator: User):
    policy(admin, {"name": "two", "answer": "ask", "approvals": 2})
    action = ask_for(agent)
    policy(admin, {"name": "any", "answer": "allow"})
    assert decide(operator, action).status == "pending"


def test_a_policy_that_denies_by_the_time_of_the_claim(agent: AgentCaller, admin: User, operator: User, refused: Codes):
    action = decide(operator, ask_for(agent))
    policy(admin, {"name": "freeze", "answer": "deny"})
    with pytest.raises(PolicyDeniesError):
        claim(agent, action)
    assert refused() == ["policy_denies"]


def test_a_page_that_is_stale(agent: AgentCaller, admin: User, operator: User, dana: User, refused: Codes):
    policy(admin, {"name": "two", "answer": "ask", "approvals": 2})
    action = ask_for(agent)
    seen = shown(action)
    decide(dana, action)
    with pytest.raises(StaleDecisionError):
        decide(operator, action, shown=seen)
    assert refused() == ["stale_decision"]


def test_a_page_that_showed_something_else(agent: AgentCaller, operator: User):
    action, other = ask_for(agent), ask_for(agent, {"service": "payments"})
    with pytest.raises(StaleDecisionError):
        decide(operator, action, shown=shown(other))


def test_long_values_that_nobody_opened(agent: AgentCaller, operator: User):
    action = ask_for(agent, {"script": "echo\n" * 400})
    seen = shown(action)
    with pytest.raises(UnopenedValuesError):
        decide(operator, action, shown=Shown(seen.version, seen.presentation_digest))
    assert decide(operator, action).status == "approved"


def test_a_rejection_without_a_reason(agent: AgentCaller, operator: User):
    with pytest.raises(ReasonRequiredError):
        decide(operator, ask_for(agent), Verdict.DENY, "  ")


def test_a_rule_that_allowed_and_asks_people_by_the_time_of_the_claim(
    agent: AgentCaller, admin: User, operator: User, refused: Codes
):
    policy(admin, {"name": "fine", "answer": "allow"})
    action = ask_for(agent)
    policy(admin, {"name": "careful", "answer": "ask"})
    with pytest.raises(NotApprovedError, match="not enough under the policy in force"):
        claim(agent, action)
    assert refused() == ["not_approved"]
    assert claim(agent, decide(operator, ask_for(agent)))


@pytest.mark.parametrize(
    "demanded",
    [{"approvals": 2}, {"group": "dba"}, {"needs_fresh_login": True}, {"mode": "pending", "approvals": 2}],
    ids=["more people", "a group", "the password", "pending"],
)
def test_a_policy_that_demands_more_by_the_time_of_the_claim(
    agent: AgentCaller, admin: User, operator: User, refused: Codes, demanded: dict[str, Any]
):
    action = decide(operator, ask_for(agent), is_fresh_login=False)
    policy(admin, {"name": "careful", "answer": "ask", **demanded})
    with pytest.raises(NotApprovedError):
        claim(agent, action)
    assert refused() == ["not_approved"]


@pytest.mark.parametrize("demanded", [{"group": "dba"}, {"needs_fresh_login": True}], ids=lambda said: next(iter(said)))
def test_a_vote_from_before_the_policy_demanded_more_does_not_count(
    agent: AgentCaller, admin: User, operator: User, dana: User, demanded: dict[str, Any]
):
    rule = {"name": "two", "answer": "ask", "approvals": 2}
    policy(admin, rule)
    action = decide(operator, ask_for(agent), is_fresh_login=False)
    policy(admin, {**rule, **demanded})
    for person in (dana, admin):
        person.groups.add(Group.objects.get_or_create(name="dba")[0])
        assert Action.objects.get(id=action.id).status == "pending"
        action = decide(person, action)
    assert action.status == "approved"
    assert claim(agent, action)


def test_broken_glass_goes_past_a_quorum_that_grew_after_it(agent: AgentCaller, admin: User):
    action = ask_for(agent)
    break_glass(person=admin, action_id=action.id, reason="down", shown=shown(action), is_fresh_login=True)
    policy(admin, {"name": "three", "answer": "ask", "approvals": 3})
    assert claim(agent, action)


def test_the_glass_broken_at_the_last_millisecond(agent: AgentCaller, admin: User, refused: Codes):
    action = ask_for(agent, timeout="10s")
    seen = shown(action)
    with time_machine.travel(action.deadline_at, tick=False), pytest.raises(AlreadyDecidedError):
        break_glass(person=admin, action_id=action.id, reason="now", shown=seen, is_fresh_login=True)
    assert (Action.objects.get().status, refused()) == ("expired", ["already_decided"])


def test_a_vote_with_the_digest_of_another_action(agent: AgentCaller, operator: User, sign_in: Any, refused: Codes):
    action, other = ask_for(agent), ask_for(agent, {"service": "payments"})
    client = sign_in(operator)
    stolen = client.post(f"/approvals/{action.id}/decide", form(other))
    edited = client.post(f"/approvals/{action.id}/decide", form(action, presentation_digest="sha256:" + "0" * 64))
    newer = client.post(f"/approvals/{action.id}/decide", form(action, version=2))
    assert [answer.status_code for answer in (stolen, edited, newer)] == [409] * 3
    assert refused() == ["stale_decision"] * 3
    assert set(Action.objects.values_list("status", flat=True)) == {"pending"}


def test_the_same_form_sent_twice(agent: AgentCaller, operator: User, sign_in: Any, refused: Codes):
    action, client = ask_for(agent), sign_in(operator)
    sent = form(action)
    told = [client.post(f"/approvals/{action.id}/decide", sent).status_code for _ in range(2)]
    assert (told, refused(), action.votes.count()) == ([302, 409], ["already_decided"], 1)
