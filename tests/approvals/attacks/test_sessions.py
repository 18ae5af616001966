"""Sessions that were planted, copied, left open or outlived: none of them decides."""

from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from approvals.models import Action
from tests.approvals.asking import ask_for
from tests.approvals.attacks.claims import Codes
from tests.approvals.pages.test_desk import form
from tests.cast import PASSWORD, AgentCaller

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("whole_chain")]
HIGH = {"agentconsole": {"risk": "high"}}


def with_session(key: str) -> Client:
    """A browser that holds a session's key, however it came by it."""
    client = Client()
    client.cookies["sessionid"] = key
    return client


def key_of(client: Client) -> str:
    """The session's key that a browser holds."""
    return client.cookies["sessionid"].value


def sign_in_by_form(client: Client, person: User) -> None:
    """Sign in as people do."""
    answer = client.post("/login/", {"username": person.username, "password": PASSWORD})
    assert answer.status_code == 302


def is_turned_away(client: Client, action: Action) -> bool:
    """Whether a verdict is sent to the login page and counts for nothing."""
    answer = client.post(f"/approvals/{action.id}/decide", form(action))
    return answer.headers.get("Location", "").startswith("/login/") and not action.votes.exists()


def test_a_session_that_was_planted_before_the_login(agent: AgentCaller, operator: User):
    planted = import_module(settings.SESSION_ENGINE).SessionStore()
    planted.create()
    victim = with_session(planted.session_key)
    sign_in_by_form(victim, operator)
    assert key_of(victim) != planted.session_key
    assert is_turned_away(with_session(planted.session_key), ask_for(agent))


def test_a_key_that_the_attacker_made_up(agent: AgentCaller, operator: User):
    made_up = "a" * 32
    victim = with_session(made_up)
    sign_in_by_form(victim, operator)
    assert key_of(victim) != made_up
    assert is_turned_away(with_session(made_up), ask_for(agent))


def test_a_session_that_was_copied_before_the_password_was_given_once_more(agent: AgentCaller, operator: User):
    action, victim = ask_for(agent, context=HIGH), Client()
    sign_in_by_form(victim, operator)
    copied = key_of(victim)
    assert victim.post(f"/approvals/{action.id}/decide", form(action, password=PASSWORD)).status_code == 302
    assert key_of(victim) != copied
    assert is_turned_away(with_session(copied), ask_for(agent, context=HIGH))


def test_an_old_session_after_the_logout(agent: AgentCaller, operator: User):
    action, victim = ask_for(agent), Client()
    sign_in_by_form(victim, operator)
    copied = key_of(victim)
    victim.post("/logout/")
    assert is_turned_away(with_session(copied), action)


def test_a_session_of_an_account_that_was_closed(agent: AgentCaller, operator: User, sign_in: Any):
    action, client = ask_for(agent), sign_in(operator)
    User.objects.filter(id=operator.id).update(is_active=False)
    assert is_turned_away(client, action)


def test_a_session_from_before_the_password_was_changed(agent: AgentCaller, operator: User, sign_in: Any):
    action, client = ask_for(agent), sign_in(operator)
    operator.set_password("another battery staple")
    operator.save()
    assert is_turned_away(client, action)


@pytest.mark.parametrize("leave", ["the logout", "somebody else's login", "five minutes"])
def test_a_password_that_was_given_before(agent: AgentCaller, operator: User, dana: User, refused: Codes, leave: str):
    first, second, client = ask_for(agent, context=HIGH), ask_for(agent, context=HIGH), Client()
    sign_in_by_form(client, operator)
    assert client.post(f"/approvals/{first.id}/decide", form(first, password=PASSWORD)).status_code == 302
    later = timezone.now()
    if leave == "five minutes":
        later += timedelta(seconds=301)
    else:
        client.post("/logout/")
        sign_in_by_form(client, operator if leave == "the logout" else dana)
    with time_machine.travel(later):
        assert client.post(f"/approvals/{second.id}/decide", form(second)).status_code == 403
    assert refused() == ["fresh_login_required"]


def test_a_script_can_not_read_the_session_nor_another_site_send_it(operator: User):
    client = Client()
    sign_in_by_form(client, operator)
    cookie = client.cookies["sessionid"]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")


@pytest.mark.parametrize("there", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil.example"])
def test_a_login_leads_to_no_other_site(operator: User, there: str):
    answer = Client().post("/login/", {"username": "omar", "password": PASSWORD, "next": there})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
