"""Forms that another site sends, frames that hide the page, links that decide: each is refused at every door there is."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from approvals.models import Action
from tests.approvals.asking import ask_for
from tests.approvals.attacks.doors import OPEN, READ_ONLY, doors, everything, state
from tests.approvals.pages.test_desk import form
from tests.cast import AgentCaller

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("whole_chain")]


def strict_client(person: User) -> Client:
    """A browser in which the person is signed in, before a console that checks its forms."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(person)
    return client


def token_on(client: Client, path: str) -> str:
    """The token in a page's form."""
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', client.get(path).content.decode())
    assert found
    return found[1]


def test_csrf_without_a_token_at_every_door(agent: AgentCaller, admin: User, logged: Any):
    action, client = ask_for(agent), strict_client(admin)
    paths, before = doors(agent, action), state()
    told = {name: client.post(path, everything(action)).status_code for name, path in paths.items()}
    assert told == dict.fromkeys(paths, 403)
    assert state() == before
    assert [line["code"] for line in logged("REQUEST_REFUSED")] == ["csrf_failed"] * len(paths)


@pytest.mark.parametrize("origin", ["https://evil.example", "http://testserver:8001", "http://sub.testserver", "null"])
def test_csrf_with_a_token_from_another_origin(agent: AgentCaller, admin: User, origin: str):
    action, client = ask_for(agent), strict_client(admin)
    paths = doors(agent, action)
    sent = {**everything(action), "csrfmiddlewaretoken": token_on(client, paths["approval"])}
    before = state()
    told = {name: client.post(path, sent, headers={"Origin": origin}).status_code for name, path in paths.items()}
    assert told == dict.fromkeys(paths, 403)
    assert state() == before


def test_csrf_with_the_token_of_another_session(agent: AgentCaller, admin: User, operator: User):
    action, client, theirs = ask_for(agent), strict_client(admin), strict_client(operator)
    path = f"/approvals/{action.id}/"
    token_on(client, path)
    sent = {**form(action), "csrfmiddlewaretoken": token_on(theirs, path)}
    assert client.post(f"{path}decide", sent).status_code == 403
    assert Action.objects.get().status == "pending"


def test_the_pages_own_form_is_taken(agent: AgentCaller, operator: User):
    action, client = ask_for(agent), strict_client(operator)
    sent = {**form(action), "csrfmiddlewaretoken": token_on(client, f"/approvals/{action.id}/")}
    answer = client.post(f"/approvals/{action.id}/decide", sent, headers={"Origin": "http://testserver"})
    assert (answer.status_code, Action.objects.get().status) == (302, "approved")


def test_a_link_decides_nothing_at_any_door(agent: AgentCaller, admin: User, sign_in: Any):
    action, client = ask_for(agent), sign_in(admin)
    paths, before = doors(agent, action), state()
    told = {name: client.get(path, everything(action)).status_code for name, path in paths.items()}
    assert {name for name, status in told.items() if status == 405} == paths.keys() - READ_ONLY - {
        "policy",
        "provisioners",
    }
    assert state() == before


def test_a_form_is_not_taken_by_a_door_that_reads(agent: AgentCaller, admin: User, sign_in: Any):
    action, client = ask_for(agent), sign_in(admin)
    paths, before = doors(agent, action), state()
    assert [client.post(paths[name], everything(action)).status_code for name in READ_ONLY] == [405] * len(READ_ONLY)
    assert state() == before


def test_an_agents_credential_opens_no_door_of_a_person(agent: AgentCaller):
    action = ask_for(agent)
    paths, before = doors(agent, action), state()
    for method in ("get", "post"):
        for name, path in paths.items():
            answer = getattr(Client(), method)(path, everything(action), headers=agent.headers)
            is_refused = answer.status_code == 405 or answer.headers.get("Location", "").startswith("/login/")
            assert is_refused or (name, method) == (OPEN, "get"), (method, path)
    assert state() == before


def test_clickjacking_at_every_door(agent: AgentCaller, admin: User, viewer: User, sign_in: Any):
    action = ask_for(agent)
    paths = doors(agent, action)
    answers = [sign_in(person).get(path) for person in (admin, viewer) for path in paths.values()]
    answers += [sign_in(viewer).post(path, everything(action)) for path in paths.values()]
    answers += [strict_client(admin).post(path) for path in paths.values()]
    answers += [Client().get("/login/"), sign_in(admin).get("/approvals/nowhere"), Client().get(paths["approval"])]
    assert {answer.status_code for answer in answers} >= {200, 302, 403, 404, 405}
    for answer in answers:
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


def test_a_page_of_another_site_may_not_read_a_door(agent: AgentCaller, admin: User, sign_in: Any):
    client = sign_in(admin)
    for path in doors(agent, ask_for(agent)).values():
        answer = client.get(path, headers={"Origin": "https://evil.example"})
        assert "Access-Control-Allow-Origin" not in answer.headers
