"""kill -9 between any two steps of a guarded call: it never runs twice, and no decision is lost."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from django.contrib.auth.models import User

from approvals.models import Action
from approvals.queries.audit import verify_chain
from tests.approvals.asking import policy
from tests.cast import AgentCaller
from tests.live.test_web_processes import web_process
from tests.processes.running import ROOT

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

# Asked (1), claimed (2), reported (3): a standing rule answers at once.
STEPS = {
    "before 1": ("ran", 1),
    "after 1": ("ran", 1),
    "before 2": ("ran", 1),
    "after 2": ("ApprovalUsed", 0),
    "in tool": ("ApprovalUsed", 1),
    "before 3": ("ApprovalUsed", 1),
    "after 3": ("ApprovalUsed", 1),
}


def call(url: str, token: str, file: Path, step: str) -> subprocess.CompletedProcess[str]:
    """One life of the agent."""
    command = [sys.executable, "-m", "tests.approvals.sdk.killed_agent", url, str(file), step]
    env = os.environ | {"AGENT_TOKEN": token}
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False)


def test_an_agent_that_is_killed_at_each_step_and_started_again(agent: AgentCaller, admin: User, tmp_path: Path):
    policy(admin, {"name": "fine", "answer": "allow", "start_within_s": 3600})
    with web_process() as url:
        for step, (said, lines) in STEPS.items():
            Action.objects.all().delete()
            file = tmp_path / step.replace(" ", "-")
            first = call(url, agent.token, file, step)
            assert first.returncode == -signal.SIGKILL, (step, first.stdout, first.stderr)
            second = call(url, agent.token, file, "never")
            assert second.stdout.strip() == said, (step, second.stderr)
            written = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
            assert written == ["done"] * lines, step
            action = Action.objects.get()
            reported = step in ("before 1", "after 1", "before 2", "after 3")
            assert action.lifecycle == ("succeeded" if reported else "claimed"), step
    assert verify_chain().broken == ""
