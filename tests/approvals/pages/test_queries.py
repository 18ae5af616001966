"""What the pages ask of the database does not grow with what they show."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from approvals.live_topics import ApprovalsTopic
from approvals.models import Action
from approvals.queries.action_page import action_for, action_page
from approvals.queries.decided import decided_page
from approvals.queries.queue import concerns, next_in_queue, pending_count, queue_page, who_looks
from approvals.services.presence import note_presence
from tests.approvals.asking import ask_for, decide, policy
from tests.approvals.pages.reading import claim, ended
from tests.cast import AgentCaller, make_person

pytestmark = pytest.mark.django_db
HERE = ["dev", "prod"]

READS: dict[str, tuple[int, Callable[[User], Any]]] = {
    "queue": (4, lambda person: queue_page(HERE, timezone.now(), person=person)),
    "concerns": (4, lambda _person: concerns(HERE, timezone.now())),
    "decided": (1, lambda _person: decided_page(HERE, "")),
    "decided, by a state": (1, lambda _person: decided_page(HERE, "lapsed")),
    "who looks": (1, lambda _person: who_looks(HERE, timezone.now())),
    "count": (1, lambda _person: pending_count(HERE, timezone.now())),
    "live rows": (6, lambda _person: ApprovalsTopic("approvals:dev").read("2020-01-01T00:00:00+00:00", None)),
}


@pytest.fixture
def full(agent: AgentCaller, admin: User, operator: User) -> Action:
    """A queue with something of everything, and one of its actions."""
    policy(admin, {"name": "two", "answer": "ask", "approvals": 2})
    people = [make_person(f"reviewer{number}", "operator") for number in range(3)]
    actions = [ask_for(agent) for _ in range(8)]
    for action in actions:
        decide(people[0], action)
        note_presence(person=people[1], action=action)
        note_presence(person=people[2], action=action)
    policy(admin, {"name": "one", "answer": "ask"})
    for _ in range(3):
        claim(agent, decide(operator, ask_for(agent)), grace_s=1)
        ended("unknown", agent, operator)
        ended("denied", agent, operator)
    return actions[-1]


@pytest.mark.parametrize("name", READS)
@pytest.mark.usefixtures("full")
def test_each_read_is_as_cheap_as_it_says(name: str, operator: User, django_assert_num_queries: Any):
    queries, read = READS[name]
    with django_assert_num_queries(queries):
        read(operator)


def test_the_next_after_a_vote(full: Action, operator: User, django_assert_num_queries: Any):
    with django_assert_num_queries(1):
        assert next_in_queue(HERE, timezone.now(), person=operator, but=full.id)


def test_the_page_of_an_action(full: Action, operator: User, django_assert_max_num_queries: Any):
    with django_assert_max_num_queries(3):
        action = action_for(operator, full.id)
    with django_assert_max_num_queries(14):
        page = action_page(operator, action, timezone.now())
    assert len(page.history) > 1


@pytest.mark.usefixtures("environments")
def test_nothing_to_look_into_costs_two(django_assert_num_queries: Any):
    with django_assert_num_queries(2):
        assert concerns(HERE, timezone.now()) == []
