"""The desk: what it shows to whom, and what its forms refuse."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from approvals.models import Action, BreakGlass, PolicyVersion, Verdict
from approvals.services.glass import break_glass
from tests.approvals.asking import ask_for, decide, policy, shown
from tests.cast import PASSWORD, AgentCaller

pytestmark = pytest.mark.django_db
SignIn = Callable[[User], Client]


def form(action: Action, **more: Any) -> dict[str, Any]:
    seen = shown(action)
    return {
        "verdict": "approve", "note": "", "version": seen.version, "presentation_digest": seen.presentation_digest,
        "opened": list(seen.opened), **more,
    }  # fmt: skip


def text_of(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def test_the_queue_is_next_to_expire_first(agent: AgentCaller, viewer: User, sign_in: SignIn):
    ask_for(agent, tool="later", timeout="2h")
    ask_for(agent, tool="sooner", timeout="5m")
    page = text_of(sign_in(viewer).get("/approvals/"))
    assert page.index("sooner") < page.index("later")
    assert "<title>(2) Approvals" in page


def test_another_environments_action_is_not_there(foreign_agent: AgentCaller, viewer: User, sign_in: SignIn):
    from runs.models import Environment

    Environment.objects.filter(name="prod").update(is_restricted=True)
    action = ask_for(foreign_agent)
    client = sign_in(viewer)
    assert "restart" not in text_of(client.get("/approvals/"))
    for path in ("", "evidence/", "evidence.json"):
        assert client.get(f"/approvals/{action.id}/{path}").status_code == 404


def test_approving_goes_on_to_the_next(agent: AgentCaller, operator: User, sign_in: SignIn):
    first, second = ask_for(agent, timeout="5m"), ask_for(agent, timeout="1h")
    answer = sign_in(operator).post(f"/approvals/{first.id}/decide", form(first))
    assert answer.headers["Location"] == f"/approvals/{second.id}/"
    first.refresh_from_db()
    assert (first.status, first.decided_by) == ("approved", "person:omar")


def test_double_submit_changes_nothing(agent: AgentCaller, operator: User, sign_in: SignIn):
    action, client = ask_for(agent), sign_in(operator)
    sent = form(action)
    client.post(f"/approvals/{action.id}/decide", sent)
    again = client.post(f"/approvals/{action.id}/decide", {**sent, "verdict": "deny", "note": "no"})
    assert again.status_code == 409
    assert "approved already" in text_of(again)
    assert action.votes.count() == 1


def test_a_stale_page_says_so_and_keeps_what_was_typed(
    agent: AgentCaller, admin: User, operator: User, dana: User, sign_in: SignIn
):
    policy(admin, {"name": "two", "answer": "ask", "approvals": 2})
    action = ask_for(agent)
    sent = form(action, note="looks right to me")
    decide(dana, action)
    answer = sign_in(operator).post(f"/approvals/{action.id}/decide", sent)
    assert answer.status_code == 409
    assert "looks right to me" in text_of(answer)
    assert "changed since" in text_of(answer)


def test_csrf(agent: AgentCaller, operator: User):
    action = ask_for(agent)
    client = Client(enforce_csrf_checks=True)
    client.force_login(operator)
    assert client.post(f"/approvals/{action.id}/decide", form(action)).status_code == 403
    assert Action.objects.get().status == "pending"


def test_clickjacking(agent: AgentCaller, operator: User, sign_in: SignIn):
    answer = sign_in(operator).get(f"/approvals/{ask_for(agent).id}/")
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


def test_reading_never_decides(agent: AgentCaller, operator: User, sign_in: SignIn):
    action, client = ask_for(agent), sign_in(operator)
    for path in ("decide", "break-glass", "review", "reconcile", "looking"):
        assert client.get(f"/approvals/{action.id}/{path}").status_code == 405
    assert Action.objects.get().status == "pending"


def test_a_viewer_sees_why_they_can_not_decide(agent: AgentCaller, viewer: User, sign_in: SignIn):
    action, client = ask_for(agent), sign_in(viewer)
    assert "Deciding needs the role operator" in text_of(client.get(f"/approvals/{action.id}/"))
    assert client.post(f"/approvals/{action.id}/decide", form(action)).status_code == 403


def test_high_risk_takes_the_password_and_a_new_session(agent: AgentCaller, operator: User, sign_in: SignIn):
    action, client = ask_for(agent, context={"agentconsole": {"risk": "high"}}), sign_in(operator)
    path, before = f"/approvals/{action.id}/decide", client.session.session_key
    assert client.post(path, form(action)).status_code == 403
    assert client.post(path, form(action, password="wrong")).status_code == 403
    assert client.session.session_key == before
    assert client.post(path, form(action, password=PASSWORD)).status_code == 302
    assert client.session.session_key != before
    assert action.votes.get().was_fresh_login


@pytest.mark.usefixtures("begun_minute")
def test_the_password_can_not_be_guessed_at_will(agent: AgentCaller, operator: User, sign_in: SignIn, settings: Any):
    settings.LOGIN_RATE = 3
    action, client = ask_for(agent, context={"agentconsole": {"risk": "high"}}), sign_in(operator)
    told = [
        client.post(f"/approvals/{action.id}/decide", form(action, password=f"guess {number}")).status_code
        for number in range(5)
    ]
    assert told == [403, 403, 403, 429, 429]


def test_approve_is_refused_until_long_values_were_opened(agent: AgentCaller, operator: User, sign_in: SignIn):
    action, client = ask_for(agent, {"script": "x\n" * 300}), sign_in(operator)
    assert client.post(f"/approvals/{action.id}/decide", form(action, opened=[])).status_code == 409
    assert client.post(f"/approvals/{action.id}/decide", form(action)).status_code == 302


def test_hidden_text_is_not_on_the_page_as_itself(agent: AgentCaller, viewer: User, sign_in: SignIn):
    action = ask_for(
        agent,
        {"to\u200b": "a\u202eb", "html": "<script>alert(1)</script>", "tag": "x\U000e0041"},
        agent_reasoning="**trust me**\u2066 <b>now</b>",
    )
    page = sign_in(viewer).get(f"/approvals/{action.id}/").content.decode()
    for hidden in ("\u200b", "\u202e", "\u2066", "\U000e0041", "<script>alert", "<b>now"):
        assert hidden not in page
    assert "⟨U+202E⟩" in page
    assert "**trust me**" in page


def test_an_admin_outside_the_group_can_still_break_the_glass(agent: AgentCaller, admin: User, sign_in: SignIn):
    policy(admin, {"name": "money", "answer": "ask", "group": "payments"})
    action, client = ask_for(agent), sign_in(admin)
    page = text_of(client.get(f"/approvals/{action.id}/"))
    assert "asks the group payments" in page
    assert "Break the glass" in page
    sent = form(action, note="payments is down", password=PASSWORD)
    assert client.post(f"/approvals/{action.id}/break-glass", sent).status_code == 302
    assert BreakGlass.objects.get().person == admin


def test_the_glass_is_not_there_for_ones_own_nor_for_who_rejected_it(agent: AgentCaller, admin: User, sign_in: SignIn):
    own = ask_for(agent, context={"agentconsole": {"on_behalf_of": admin.username}})
    policy(admin, {"name": "two", "answer": "ask", "approvals": 2, "denials": 2})
    rejected = decide(admin, ask_for(agent), Verdict.DENY)
    client = sign_in(admin)
    for action in (own, rejected):
        assert "Break the glass" not in text_of(client.get(f"/approvals/{action.id}/"))


def test_broken_glass_is_on_every_page_until_somebody_else_reviewed_it(
    agent: AgentCaller, admin: User, operator: User, sign_in: SignIn
):
    action = ask_for(agent)
    break_glass(person=admin, action_id=action.id, reason="down", shown=shown(action), is_fresh_login=True)
    client = sign_in(operator)
    for path in ("/runs/", "/agents/", "/settings/", "/approvals/"):
        assert "broke the glass" in text_of(client.get(path))
    client.post(f"/approvals/{action.id}/review", {"note": "right"})
    assert BreakGlass.objects.get().reviewed_by == operator
    assert "broke the glass" not in text_of(client.get("/runs/"))


def test_decided_actions_are_found(agent: AgentCaller, operator: User, sign_in: SignIn):
    action = decide(operator, ask_for(agent, tool="restart_search"))
    decide(operator, ask_for(agent, tool="other"))
    client = sign_in(operator)
    for word in (action.fingerprint[:16], "restart_sea", str(action.id)):
        page = text_of(client.get("/approvals/decided/", {"q": word}))
        assert "restart_search" in page
        assert ">other<" not in page


def test_the_policy_page(agent: AgentCaller, admin: User, operator: User, sign_in: SignIn):
    ask_for(agent)
    client = sign_in(admin)
    assert sign_in(operator).get("/approvals/policy/").status_code == 403
    bad = client.post("/approvals/policy/", {"rules": '[{"name": "x"}]', "base": "0", "do": "try"})
    assert bad.status_code == 400
    assert "answer" in text_of(bad)
    rules = '[{"name": "never", "answer": "deny"}]'
    tried = text_of(client.post("/approvals/policy/", {"rules": rules, "base": "0", "do": "try"}))
    assert "1 would be decided otherwise" in tried
    put = {"rules": rules, "base": "0", "do": "save", "comment": "freeze"}
    for password in ("", "a guess"):
        assert client.post("/approvals/policy/", {**put, "password": password}).status_code == 403
    assert not PolicyVersion.objects.exists()
    assert client.post("/approvals/policy/", {**put, "password": PASSWORD}).status_code == 302
    assert 'name="password"' not in text_of(client.get("/approvals/policy/"))
    stale = client.post("/approvals/policy/", {"rules": rules, "base": "0", "do": "save"})
    assert stale.status_code == 409
    assert ask_for(agent).status == "denied"


def test_a_provisioners_token_is_shown_once(admin: User, operator: User, sign_in: SignIn):
    client = sign_in(admin)
    assert sign_in(operator).get("/agents/provisioners/").status_code == 403
    made = text_of(client.post("/agents/provisioners/", {"environment": "dev", "agent": "bot", "name": "ci"}))
    assert "acp_" in made
    token = made.partition("data-copy>acp_")[2].partition("<")[0]
    assert token
    assert token not in text_of(client.get("/agents/provisioners/"))


def test_the_keys_that_grants_are_verified_with(agent: AgentCaller, operator: User):
    from approvals.services.keys import ensure_signing_key

    ensure_signing_key()
    (key,) = Client().get("/.well-known/jwks.json").json()["keys"]
    assert (key["kty"], key["crv"], "d" in key) == ("OKP", "Ed25519", False)


def test_a_fuller_queue_costs_no_more_queries(agent: AgentCaller, operator: User, sign_in: SignIn):
    client, first = sign_in(operator), ask_for(agent)
    with CaptureQueriesContext(connection) as few:
        client.get(f"/approvals/{first.id}/")
    for _ in range(20):
        decide(operator, ask_for(agent), Verdict.DENY)
        ask_for(agent)
    with CaptureQueriesContext(connection) as many:
        client.get(f"/approvals/{first.id}/")
    assert len(many) == len(few)
