"""A run keeps what its agent's instance lacked when it began, whatever becomes of the instance."""

import pytest

from runs.models import Run
from tests.cast import AgentCaller
from tests.ingest.items import new_run, run_started, tick
from tests.pages.runs import ago
from tests.vitals.beats import startup


def lacked(run: str) -> str:
    return str(Run.objects.get(id=run).lacks)


def test_it_stays_true_after_the_instance_has_recovered(agent: AgentCaller):
    run, after = new_run(), new_run()
    agent.send(startup("restart_service", "read_logs", at_ago_s=60))
    agent.send(run_started(run, at=ago(30)))
    agent.send(startup(at_ago_s=20))
    agent.send(tick(run, at=ago(10)), run_started(run, at=ago(30)), run_started(after, at=ago(5)))
    assert [lacked(run), lacked(after)] == ["restart_service, read_logs", ""]


def test_of_what_comes_in_one_batch_each_run_has_its_own_start(agent: AgentCaller):
    first, second = new_run(), new_run()
    agent.send(
        run_started(second, at=ago(5)),
        startup("b", at_ago_s=10),
        run_started(first, at=ago(30)),
        startup("a", at_ago_s=60),
    )
    assert [lacked(first), lacked(second)] == ["a", "b"]


def test_what_a_later_start_lacks_says_nothing_of_a_run_before_it(agent: AgentCaller):
    run = new_run()
    agent.send(startup("restart", at_ago_s=10))
    agent.send(run_started(run, at=ago(600)))
    assert lacked(run) == ""


@pytest.mark.parametrize("count", [20, 499])
def test_what_a_run_keeps_of_it_has_a_bound(count: int, agent: AgentCaller):
    run = new_run()
    agent.send(startup(*(f"tool{number}" for number in range(count)), at_ago_s=60))
    agent.send(run_started(run, at=ago(30)))
    lacks = Run.objects.get(id=run).lacks
    assert (len(lacks.tools), lacks.count, lacks.more) == (20, count, count - 20)


def test_a_name_can_t_turn_the_line_around(agent: AgentCaller):
    run = new_run()
    agent.send(startup("safe\u202e\nlogs", at_ago_s=60))
    agent.send(run_started(run, at=ago(30)))
    assert lacked(run) == "safe\ufffd\ufffdlogs"
