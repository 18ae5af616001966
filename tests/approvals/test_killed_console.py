"""kill -9 of the console under load, again and again: no decision is lost, and nothing is started twice."""

import random
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from django.contrib.auth.models import User
from django.test import Client

from approvals.models import Action, AuditEntry
from approvals.queries.audit import verify_chain
from tests.approvals.killable import PATIENCE_S, AgentAtWork, KillableWeb, PersonAtWork, Worker, wanted
from tests.cast import AgentCaller, make_agent
from tests.processes.running import wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

STEPS = ["APPROVAL_REQUESTED", "APPROVAL_VOTED", "APPROVAL_CLAIMED", "APPROVAL_OUTCOME_REPORTED"]
ENDS = {"APPROVAL_APPROVED", "APPROVAL_DENIED", "APPROVAL_EXPIRED", "APPROVAL_CANCELLED"}
STATUS = {"approve": "approved", "deny": "denied"}


@pytest.fixture
def web(environments: None, transactional_db: None) -> Iterator[KillableWeb]:
    """A console to be killed."""
    web = KillableWeb()
    yield web
    web.end()


@pytest.fixture
def agents(web: KillableWeb, agent: AgentCaller, other_instance: AgentCaller) -> list[AgentAtWork]:
    """Two instances of one agent, and another environment's."""
    callers = [agent, other_instance, make_agent("prod", "billing")]
    return [AgentAtWork(web.url, caller, seed) for seed, caller in enumerate(callers)]


@pytest.fixture
def people(web: KillableWeb, operator: User, dana: User, sign_in: Callable[[User], Client]) -> list[PersonAtWork]:
    """Two who decide, each on whatever waits."""
    return [PersonAtWork(web.url, sign_in(person)) for person in (operator, dana)]


def answered(workers: Sequence[Worker]) -> int:
    return sum(worker.answered for worker in workers)


def deaths() -> list[tuple[str, str, int]]:
    """After each step's commit, before one of them, and anywhere, in any order; each some steps after the console was up again."""
    choose = random.Random(9)
    planned = [*(("after", step) for step in STEPS), ("before", choose.choice(STEPS)), ("never", "")]
    return [(when, step, choose.randint(1, 3)) for when, step in choose.sample(planned, len(planned))]


def kill_over_and_over(web: KillableWeb, workers: Sequence[Worker], working: Sequence[Future[None]]) -> None:
    """Let it die each of its deaths and start it again; at last it lives on for a while."""
    for when, step, which in [*deaths(), ("never", "", 1)]:
        web.kill()
        web.start(when, step, which)
        enough = answered(workers) + 20 * which if when == "never" else sys.maxsize

        def is_time() -> bool:
            return web.is_dead() or answered(workers) >= enough or any(one.done() for one in working)  # noqa: B023

        wait_for(f"it dies {when} {step}", is_time, within_s=PATIENCE_S)


def work_under_fire(web: KillableWeb, agents: Sequence[AgentAtWork], people: Sequence[PersonAtWork]) -> None:
    """Everybody at work while the console is killed; agents finish what they began, then people go."""
    enough, done = threading.Event(), threading.Event()
    with ThreadPoolExecutor(len(agents) + len(people)) as threads:
        deciding = [threads.submit(person.work, done) for person in people]
        working = [threads.submit(agent.work, enough) for agent in agents]
        try:
            kill_over_and_over(web, [*agents, *people], [*deciding, *working])
            for ended, group in ((enough, working), (done, deciding)):
                ended.set()
                for one in group:
                    one.result(PATIENCE_S)
        finally:
            for worker in [*agents, *people]:
                worker.dismissed.set()
            enough.set()
            done.set()


def assert_decisions_are_kept(people: Sequence[PersonAtWork]) -> None:
    """What a person was told is decided is so; what got no answer is as they wanted it, or it was asked again."""
    told = {action_id: verdict for person in people for action_id, verdict in person.acknowledged.items()}
    assert told
    actions = {str(action.id): action for action in Action.objects.prefetch_related("votes")}
    for action_id, verdict in told.items():
        assert (actions[action_id].status, verdict) == (STATUS[wanted(action_id)], wanted(action_id))
    for action_id, action in actions.items():
        assert action.status == STATUS[wanted(action_id)]
        assert [vote.verdict for vote in action.votes.all()] == [wanted(action_id)]


def assert_nothing_ran_twice(agents: Sequence[AgentAtWork]) -> None:
    """Each question is one action, each approved action one claim and one effect, of whoever was told that it is theirs."""
    asked = [action_id for agent in agents for action_id in agent.asked]
    effects = [effect for agent in agents for effect in agent.effects]
    assert sorted(asked) == sorted(str(found) for found in Action.objects.values_list("id", flat=True))
    claims = Action.objects.exclude(claimed_at=None).values_list("id", "claim_key")
    assert sorted(effects) == sorted((str(action_id), key) for action_id, key in claims)
    assert {action_id for action_id, _key in effects} == {one for one in asked if wanted(one) == "approve"}
    assert set(Action.objects.exclude(claimed_at=None).values_list("outcome", flat=True)) == {"succeeded"}


def assert_evidence_is_whole() -> None:
    """The chain holds, and says of each action exactly once what became of it."""
    assert verify_chain().broken == ""
    for action in Action.objects.all():
        told = Counter(AuditEntry.objects.filter(object=f"action:{action.id}").values_list("token", flat=True))
        expected = ["APPROVAL_REQUESTED", "APPROVAL_VOTED", f"APPROVAL_{action.status.upper()}"]
        expected += ["APPROVAL_CLAIMED", "APPROVAL_OUTCOME_REPORTED"] if action.claimed_at else []
        assert {token: told[token] for token in told if not token.endswith("_REFUSED")} == dict.fromkeys(expected, 1)
        assert sum(told[end] for end in ENDS) == 1


def test_a_console_that_is_killed_over_and_over_loses_no_decision_and_starts_nothing_twice(
    web: KillableWeb, agents: list[AgentAtWork], people: list[PersonAtWork]
):
    work_under_fire(web, agents, people)
    web.kill()
    assert sum(worker.unanswered for worker in [*agents, *people]) > 0  # the kills hit requests under way
    assert_decisions_are_kept(people)
    assert_nothing_ran_twice(agents)
    assert_evidence_is_whole()
