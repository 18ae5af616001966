"""The queue: its pages, its marks, what stands beside it, and what comes after a vote."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from approvals.models import Action
from approvals.services.presence import note_presence
from tests.approvals.asking import ask_for, decide, policy
from tests.approvals.pages.reading import claim, ended, words_of
from tests.approvals.pages.test_desk import form
from tests.cast import AgentCaller, make_person

pytestmark = pytest.mark.django_db
SignIn = Callable[[User], Client]


def rows_of(page: Any) -> list[str]:
    """The ids in the queue, in its order."""
    queue = page.content.decode().partition('id="queue"')[2].partition("</ol>")[0]
    return [part.partition('"')[0] for part in queue.split('data-id="')[1:]]


def test_its_pages_follow_each_other_without_gap(agent: AgentCaller, viewer: User, sign_in: SignIn):
    asked = [str(ask_for(agent, timeout=f"{number + 1}m").id) for number in range(60)]
    client = sign_in(viewer)
    first = client.get("/approvals/")
    after = first.content.decode().partition("?after=")[2].partition('"')[0]
    second = client.get(f"/approvals/?after={after}")
    assert rows_of(first) + rows_of(second) == asked
    assert "?after=" not in second.content.decode()
    assert "Next to expire" in words_of(second)


@pytest.mark.parametrize("after", ["", "x", "2026-01-01_", "_", "2026-01-01T00:00:00_1", "\x00_\x00"])
def test_a_page_that_nobody_linked_is_the_first(after: str, agent: AgentCaller, viewer: User, sign_in: SignIn):
    action = ask_for(agent)
    page = sign_in(viewer).get("/approvals/", {"after": after})
    assert (page.status_code, rows_of(page)) == (200, [str(action.id)])


def test_kept_to_an_environment_it_stays_so_after_a_vote(
    agent: AgentCaller, foreign_agent: AgentCaller, operator: User, sign_in: SignIn
):
    first, second = ask_for(agent, timeout="5m"), ask_for(agent, timeout="3h")
    ask_for(foreign_agent, timeout="10m")
    client = sign_in(operator)
    page = client.get("/approvals/", {"environment": "dev"})
    assert rows_of(page) == [str(first.id), str(second.id)]
    assert f'action="/approvals/{first.id}/decide?environment=dev"' in page.content.decode()
    answer = client.post(f"/approvals/{first.id}/decide?environment=dev", form(first))
    assert answer.headers["Location"] == f"/approvals/{second.id}/?environment=dev"


def test_an_environment_that_is_not_yours_filters_nothing(agent: AgentCaller, viewer: User, sign_in: SignIn):
    action = ask_for(agent)
    assert rows_of(sign_in(viewer).get("/approvals/", {"environment": "moon"})) == [str(action.id)]


def test_after_a_vote_comes_the_next_that_is_not_voted_on(
    agent: AgentCaller, admin: User, operator: User, sign_in: SignIn
):
    policy(admin, {"name": "two", "answer": "ask", "approvals": 2})
    first, second, third = (ask_for(agent, timeout=f"{minutes}m") for minutes in (5, 10, 15))
    decide(operator, first)
    answer = sign_in(operator).post(f"/approvals/{second.id}/decide", form(second))
    assert answer.headers["Location"] == f"/approvals/{third.id}/"
    assert sign_in(operator).post(f"/approvals/{third.id}/decide", form(third)).headers["Location"] == "/approvals/"


def test_its_rows_say_for_whom_how_far_and_who_looks(agent: AgentCaller, admin: User, operator: User, sign_in: SignIn):
    policy(admin, {"name": "two", "answer": "ask", "approvals": 2})
    action = ask_for(agent, context={"agentconsole": {"on_behalf_of": "slack:kim", "risk": "low"}})
    decide(admin, action)
    note_presence(person=make_person("dana", "operator"), action=action)
    note_presence(person=operator, action=action)
    text = words_of(sign_in(operator).get("/approvals/")).partition("All")[2].partition("Look into")[0]
    for said in ("dev", "low risk", "29 min", "restart", "triage for slack:kim (claimed)", "1 of 2", "dana"):
        assert said in text
    assert "omar" not in text


def test_drift_and_unknown_outcomes_stand_beside_it(agent: AgentCaller, operator: User, sign_in: SignIn):
    drifted = decide(operator, ask_for(agent, context={"agentconsole": {"operation": "stop"}}))
    claim(agent, drifted, grace_s=1)
    ended("unknown", agent, operator)
    text = words_of(sign_in(operator).get("/approvals/")).partition("Look into")[2]
    assert "drift refused stop" in text
    assert "outcome unknown restart" in text


def test_what_was_superseded_is_in_the_queue_not_beside_it(
    agent: AgentCaller, admin: User, operator: User, sign_in: SignIn
):
    policy(admin, {"name": "careful", "answer": "ask", "mode": "pending"})
    old = decide(operator, ask_for(agent))
    claim(agent, old, service="payments")
    page = sign_in(operator).get("/approvals/")
    assert rows_of(page) == [str(Action.objects.get(supersedes=old).id)]
    assert "drift, superseding" in words_of(page)
    assert "drift refused" not in words_of(page)


def test_every_page_carries_the_count(agent: AgentCaller, viewer: User, sign_in: SignIn):
    ask_for(agent), ask_for(agent)
    client = sign_in(viewer)
    for path in ("/runs/", "/agents/", "/approvals/decided/", "/settings/"):
        assert "<title>(2) " in client.get(path).content.decode()


def test_an_empty_queue_says_what_will_come(viewer: User, sign_in: SignIn):
    text = words_of(sign_in(viewer).get("/approvals/"))
    assert "Nothing waits for you" in text
    assert "appear here by themselves" in text


def test_without_a_role_there_is_a_page_that_says_so(agent: AgentCaller, stranger: User, sign_in: SignIn):
    action = ask_for(agent)
    for path in ("", "decided/", f"{action.id}/", "looking"):
        page = sign_in(stranger).get(f"/approvals/{path}")
        assert page.status_code == 403
        assert "This needs the role viewer" in page.content.decode()


def test_looking_tells_who_else_looks_and_whether_the_agent_is_there(
    agent: AgentCaller, operator: User, viewer: User, sign_in: SignIn
):
    action = ask_for(agent)
    Action.objects.filter(id=action.id).update(last_polled_at=timezone.now() - timedelta(seconds=44))
    path = f"/approvals/{action.id}/looking"
    assert sign_in(viewer).post(path).json()["looking"] == []
    seen = sign_in(operator).post(path).json()
    assert seen == {"looking": ["vera"], "is_gone": False, "queue": {str(action.id): ["omar", "vera"]}}
    Action.objects.filter(id=action.id).update(last_polled_at=timezone.now() - timedelta(seconds=46))
    assert sign_in(operator).post(path).json()["is_gone"] is True
    assert sign_in(viewer).get("/approvals/looking").json()["queue"] == seen["queue"]
