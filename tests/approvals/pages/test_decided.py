"""The decided list is found by what people remember: a state, a person, a piece of what ran."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from approvals.models import Action
from approvals.queries.decided import decided_page
from tests.approvals.asking import ask_for, decide
from tests.approvals.pages.reading import ended
from tests.cast import AgentCaller

pytestmark = pytest.mark.django_db
SignIn = Callable[[User], Client]

STATES = ("lapsed", "denied", "expired", "cancelled", "claimed", "succeeded", "failed", "unknown", "reconciled")


def found(word: str) -> set[Action]:
    return set(decided_page(["dev"], word).rows)


def test_each_state_is_a_word_to_search_by(agent: AgentCaller, operator: User):
    by_state = {state: ended(state, agent, operator) for state in STATES}
    for state, action in by_state.items():
        others = {by_state["reconciled"]} if state == "failed" else set()
        assert found(state) == {action} | others, state
    assert found("Rejected") == {by_state["denied"]}


def test_people_are_found_whatever_they_had_to_do_with_it(agent: AgentCaller, operator: User, dana: User):
    voted = decide(dana, ask_for(agent))
    for_dana = decide(operator, ask_for(agent, context={"agentconsole": {"on_behalf_of": "slack:dana"}}))
    decide(operator, ask_for(agent))
    assert found("dana") == {voted, for_dana}


@pytest.mark.parametrize("word", ["%", "_", "'", "\\", "drift)", "x" * 200, "\u202e"])
def test_what_means_something_to_a_database_means_nothing_here(word: str, agent: AgentCaller, operator: User):
    ended("denied", agent, operator)
    assert found(word) == set()


def test_its_pages_follow_each_other_without_gap(agent: AgentCaller, operator: User, sign_in: SignIn):
    ended_ones = [decide(operator, ask_for(agent)) for _ in range(55)]
    first = decided_page(["dev"], "")
    second: Any = decided_page(["dev"], "", first.next_before)
    assert first.rows + second.rows == ended_ones[::-1]
    assert second.next_before == ""
    page = sign_in(operator).get("/approvals/decided/").content.decode()
    assert first.next_before.partition("_")[2] in page


def test_a_search_for_nothing_that_text_can_hold_is_answered(agent: AgentCaller, operator: User, sign_in: SignIn):
    action = ended("denied", agent, operator)
    page = sign_in(operator).get("/approvals/decided/", {"q": "\x00rest\x00art"})
    assert f"/approvals/{action.id}/" in page.content.decode()
