"""Who may not decide, or not alone. Each is refused, told apart, audited."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from agentconsole.errors import ForbiddenError, NotFoundError
from approvals.models import Action, Verdict, Vote
from approvals.services.claiming import NotApprovedError
from approvals.services.deciding import (
    AlreadyVotedError,
    NotAReviewerError,
    OwnActionError,
    PolicyDeniesError,
)
from approvals.services.fresh_logins import FreshLoginRequiredError
from approvals.services.glass import break_glass, review_break_glass
from tests.approvals.asking import ask_for, decide, policy, shown
from tests.approvals.attacks.claims import Codes, claim
from tests.approvals.pages.test_desk import form
from tests.cast import PASSWORD, AgentCaller
from tests.ingest.items import new_run, run_started

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("whole_chain")]


def test_a_credential_that_decides(agent: AgentCaller):
    action = ask_for(agent)
    answer = Client().post(f"/approvals/{action.id}/decide", {"verdict": "approve"}, headers=agent.headers)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/login/")
    assert Action.objects.get(id=action.id).status == "pending"


@pytest.mark.parametrize("claim_of", ["dana", "slack:Dana", "dana@example.org", "web:DANA"])
def test_self_approval_by_whom_it_is_done_for(agent: AgentCaller, dana: User, refused: Codes, claim_of: str):
    action = ask_for(agent, context={"agentconsole": {"on_behalf_of": claim_of}})
    with pytest.raises(OwnActionError):
        decide(dana, action)
    assert refused() == ["own_action"]
    assert not Vote.objects.exists()


def test_self_approval_by_who_started_the_run(agent: AgentCaller, dana: User, operator: User):
    run = new_run()
    agent.send(run_started(run, subject="slack:dana"))
    action = ask_for(agent, context={"agentconsole": {"run_id": run}})
    with pytest.raises(OwnActionError):
        decide(dana, action)
    assert decide(operator, action).status == "approved"


def test_self_approval_by_breaking_the_glass(agent: AgentCaller, admin: User):
    action = ask_for(agent, context={"agentconsole": {"on_behalf_of": "ada"}})
    with pytest.raises(OwnActionError):
        break_glass(person=admin, action_id=action.id, reason="now", shown=shown(action), is_fresh_login=True)


def test_the_same_person_twice(agent: AgentCaller, admin: User, operator: User, dana: User, refused: Codes):
    policy(admin, {"name": "two", "answer": "ask", "approvals": 2})
    action = ask_for(agent)
    assert decide(operator, action).status == "pending"
    with pytest.raises(AlreadyVotedError):
        decide(operator, action)
    assert decide(dana, action).status == "approved"
    assert refused() == ["already_voted"]


def test_high_risk_without_the_password(agent: AgentCaller, operator: User, refused: Codes):
    action = ask_for(agent, context={"agentconsole": {"risk": "high"}})
    with pytest.raises(FreshLoginRequiredError):
        decide(operator, action, is_fresh_login=False)
    assert refused() == ["fresh_login_required"]
    assert decide(operator, action, Verdict.DENY, "no", is_fresh_login=False).status == "denied"


def test_a_viewer_and_a_stranger(agent: AgentCaller, viewer: User, stranger: User, refused: Codes):
    action = ask_for(agent)
    seen = shown(action)
    with pytest.raises(NotAReviewerError):
        decide(viewer, action, shown=seen)
    with pytest.raises(NotFoundError):
        decide(stranger, action, shown=seen)
    assert refused() == ["not_a_reviewer", "not_found"]


def test_a_group_that_the_person_is_not_in(agent: AgentCaller, admin: User, operator: User, refused: Codes):
    policy(admin, {"name": "dba", "answer": "ask", "group": "dba"})
    with pytest.raises(NotAReviewerError):
        decide(operator, ask_for(agent))
    assert refused() == ["not_a_reviewer"]


def test_breaking_the_glass_and_reviewing_it_alone(agent: AgentCaller, admin: User, operator: User, refused: Codes):
    policy(admin, {"name": "three", "answer": "ask", "approvals": 3})
    action = ask_for(agent)
    done = break_glass(person=admin, action_id=action.id, reason="down", shown=shown(action), is_fresh_login=True)
    assert done.status == "approved"
    with pytest.raises(ForbiddenError):
        review_break_glass(person=admin, action_id=action.id, note="fine")
    assert refused() == ["forbidden"]
    assert review_break_glass(person=operator, action_id=action.id, note="right").reviewed_by == operator


def test_breaking_the_glass_past_a_denial(agent: AgentCaller, admin: User, refused: Codes):
    action = ask_for(agent)
    seen = shown(action)
    policy(admin, {"name": "freeze", "answer": "deny"})
    with pytest.raises(PolicyDeniesError):
        break_glass(person=admin, action_id=action.id, reason="down", shown=seen, is_fresh_login=True)
    assert refused() == ["policy_denies"]


@pytest.mark.parametrize(
    "said", [{"subject": "slack:Dana"}, {"on_behalf_of": "dana@example.org"}], ids=["owner", "for"]
)
def test_self_approval_in_a_run_that_arrives_after_the_vote(
    agent: AgentCaller, dana: User, operator: User, refused: Codes, said: dict[str, str]
):
    run = new_run()
    action = decide(dana, ask_for(agent, context={"agentconsole": {"run_id": run}}))
    agent.send(run_started(run, **said))
    with pytest.raises(NotApprovedError, match="not enough"):
        claim(agent, action)
    assert refused() == ["not_approved"]
    again = decide(operator, ask_for(agent, context={"agentconsole": {"run_id": run}}))
    assert claim(agent, again)


def test_self_approval_by_glass_in_a_run_that_arrives_after_it(agent: AgentCaller, admin: User, refused: Codes):
    run = new_run()
    action = ask_for(agent, context={"agentconsole": {"run_id": run}})
    break_glass(person=admin, action_id=action.id, reason="now", shown=shown(action), is_fresh_login=True)
    agent.send(run_started(run, subject="ada"))
    with pytest.raises(NotApprovedError):
        claim(agent, action)
    assert refused() == ["not_approved"]


def test_an_approval_of_an_account_that_was_closed_before_the_quorum(
    agent: AgentCaller, admin: User, operator: User, dana: User
):
    policy(admin, {"name": "two", "answer": "ask", "approvals": 2})
    action = ask_for(agent)
    decide(operator, action)
    User.objects.filter(pk=operator.pk).update(is_active=False)
    assert decide(dana, action).status == "pending"
    assert decide(admin, action).status == "approved"


def test_an_approval_of_an_account_that_was_closed_before_the_claim(agent: AgentCaller, dana: User, refused: Codes):
    action = decide(dana, ask_for(agent))
    User.objects.filter(pk=dana.pk).update(is_active=False)
    with pytest.raises(NotApprovedError):
        claim(agent, action)
    assert refused() == ["not_approved"]


def test_a_viewer_who_reviews_or_finds_out(agent: AgentCaller, viewer: User, admin: User, sign_in: Any, refused: Codes):
    action, client = ask_for(agent), sign_in(viewer)
    break_glass(person=admin, action_id=action.id, reason="down", shown=shown(action), is_fresh_login=True)
    for door, sent in (("review", {"note": "fine"}), ("reconcile", {"note": "saw it", "found": "succeeded"})):
        assert client.post(f"/approvals/{action.id}/{door}", sent).status_code == 403
    assert refused() == ["not_a_reviewer", "not_a_reviewer"]


def test_the_glass_is_no_operators_to_break(agent: AgentCaller, operator: User, sign_in: Any, refused: Codes):
    action = ask_for(agent)
    sent = {**form(action), "note": "it is down", "password": PASSWORD}
    answer = sign_in(operator).post(f"/approvals/{action.id}/break-glass", sent)
    assert (answer.status_code, refused()) == (403, ["not_a_reviewer"])
    assert Action.objects.get().status == "pending"


@pytest.mark.usefixtures("begun_minute")
def test_a_password_that_is_guessed_at(agent: AgentCaller, operator: User, sign_in: Any, refused: Codes, settings: Any):
    settings.LOGIN_RATE = 2
    action, client = ask_for(agent, context={"agentconsole": {"risk": "high"}}), sign_in(operator)
    for guess in ("", "one", "two", "three", PASSWORD):
        client.post(f"/approvals/{action.id}/decide", form(action, password=guess))
    assert refused() == ["fresh_login_required", "wrong_password", "wrong_password", "rate_limited", "rate_limited"]
    assert Action.objects.get().status == "pending"


def test_a_role_that_was_taken_away_since_the_page_was_loaded(
    agent: AgentCaller, operator: User, sign_in: Any, refused: Codes
):
    action, client = ask_for(agent), sign_in(operator)
    sent = form(action)
    operator.groups.set([Group.objects.get(name="viewer")])
    assert client.post(f"/approvals/{action.id}/decide", sent).status_code == 403
    assert refused() == ["not_a_reviewer"]


def test_broken_glass_reviewed_by_whom_it_was_broken_for(agent: AgentCaller, admin: User, dana: User, operator: User):
    action = ask_for(agent, context={"agentconsole": {"on_behalf_of": "slack:dana"}})
    break_glass(person=admin, action_id=action.id, reason="down", shown=shown(action), is_fresh_login=True)
    with pytest.raises(OwnActionError):
        review_break_glass(person=dana, action_id=action.id, note="fine by me")
    assert review_break_glass(person=operator, action_id=action.id, note="right").reviewed_by == operator
