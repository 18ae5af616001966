"""`agentack check` on the trace of every scenario: it passes, and fails once somebody breaks it by hand."""

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.utils import timezone

from approvals.models import OutcomeStatus, Verdict
from approvals.queries.agentack import agentack_trace
from approvals.services.claiming import consume_action
from approvals.services.drifting import FingerprintMismatchError
from approvals.services.ending import cancel_action, expire_due_actions
from approvals.services.reporting import report_outcome
from runs.models import Run
from tests.approvals.asking import RESTART, ask_for, claimed, decide, policy
from tests.cast import AgentCaller
from tests.ingest.items import new_run, run_finished, run_started

pytestmark = pytest.mark.django_db


class Scene:
    """One run of an agent, and the people around it."""

    def __init__(self, agent: AgentCaller, operator: User, admin: User) -> None:
        self.agent, self.operator, self.admin = agent, operator, admin
        self.run = new_run()
        agent.send(run_started(self.run))

    def ask(self, arguments: dict[str, Any] | None = None, **more: Any) -> Any:
        return ask_for(self.agent, arguments, context={"agentconsole": {"run_id": self.run}}, **more)

    def claim(self, action: Any, **arguments: Any) -> Any:
        said = claimed({**RESTART, **arguments})
        return consume_action(instance=self.agent.instance, action_id=action.id, idempotency_key="k", claimed=said)


@pytest.fixture
def scene(agent: AgentCaller, operator: User, admin: User) -> Scene:
    return Scene(agent, operator, admin)


def approved_and_run(scene: Scene) -> None:
    action = decide(scene.operator, scene.ask())
    scene.claim(action)
    report_outcome(instance=scene.agent.instance, action_id=action.id, status=OutcomeStatus.SUCCEEDED, note=None)


def denied(scene: Scene) -> None:
    decide(scene.operator, scene.ask(), Verdict.DENY, "no")


def withdrawn(scene: Scene) -> None:
    cancel_action(instance=scene.agent.instance, action_id=scene.ask().id)


def expired(scene: Scene) -> None:
    scene.ask(timeout="5s")
    with time_machine.travel(timezone.now() + timedelta(seconds=6), tick=False):
        expire_due_actions()


def approved_and_never_started(scene: Scene) -> None:
    decide(scene.operator, scene.ask())


def allowed_by_a_rule(scene: Scene) -> None:
    policy(scene.admin, {"name": "fine", "answer": "allow"})
    scene.claim(scene.ask())


def denied_by_a_rule(scene: Scene) -> None:
    policy(scene.admin, {"name": "never", "answer": "deny"})
    scene.ask()


def drift_refused_and_asked_anew(scene: Scene) -> None:
    policy(scene.admin, {"name": "careful", "answer": "ask", "mode": "pending"})
    action = decide(scene.operator, scene.ask())
    with pytest.raises(FingerprintMismatchError) as refusal:
        scene.claim(action, service="payments")
    from approvals.models import Action

    new = decide(scene.operator, Action.objects.get(id=refusal.value.data["superseding"]))
    scene.claim(new, service="payments")


def drift_that_a_projection_lets_through(scene: Scene) -> None:
    policy(scene.admin, {"name": "slack", "answer": "ask", "mode": "compat", "excluded": ["$.grace_s"]})
    scene.claim(decide(scene.operator, scene.ask()), grace_s=99)


def deep_and_large_arguments(scene: Scene) -> None:
    deep: Any = 1
    for _ in range(40):
        deep = [deep]
    action = decide(scene.operator, scene.ask({"deep": deep, "big": 2**70, "é": "\u202e"}))
    consume_action(instance=scene.agent.instance, action_id=action.id, idempotency_key="k")


SCENARIOS = [
    approved_and_run, denied, withdrawn, expired, approved_and_never_started, allowed_by_a_rule, denied_by_a_rule,
    drift_refused_and_asked_anew, drift_that_a_projection_lets_through, deep_and_large_arguments,
]  # fmt: skip


def checked(trace: str, folder: Path) -> subprocess.CompletedProcess[str]:
    file = folder / "trace.jsonl"
    file.write_text(trace, encoding="utf-8")
    command = [sys.executable, "-m", "agentack", "check", str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def trace_of(scene: Scene) -> str:
    scene.agent.send(run_finished(scene.run))
    return "".join(agentack_trace(Run.objects.get(id=scene.run)))


@pytest.mark.parametrize("play", SCENARIOS, ids=lambda play: play.__name__)
def test_the_trace_of_a_scenario_passes(scene: Scene, tmp_path: Path, play: Callable[[Scene], None]):
    play(scene)
    done = checked(trace_of(scene), tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_trace_broken_by_hand_fails(scene: Scene, tmp_path: Path):
    approved_and_run(scene)
    lines = trace_of(scene).splitlines()
    executed = next(place for place, line in enumerate(lines) if '"action_executed"' in line)
    swapped = json.loads(lines[executed])
    swapped["action"]["parameters"]["service"] = "payments"
    broken = {
        "swapped": [*lines[:executed], json.dumps(swapped), *lines[executed + 1 :]],
        "replayed": [*lines[: executed + 1], lines[executed], *lines[executed + 1 :]],
        "undecided": [line for line in lines if '"approval_decision"' not in line],
        "cut off": lines[:-1],
    }
    for name, trace in broken.items():
        assert checked("\n".join(trace) + "\n", tmp_path).returncode != 0, name


def test_a_run_that_goes_on_has_no_end_yet(scene: Scene, tmp_path: Path):
    approved_and_run(scene)
    trace = "".join(agentack_trace(Run.objects.get(id=scene.run)))
    assert "session_end" not in trace
    assert checked(trace, tmp_path).returncode != 0
