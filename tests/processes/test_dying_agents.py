"""What becomes of an agent's process shows within its lease: killed, stopped by a signal, idle for long, ended on purpose."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.processes.running import ROOT, RunningConsole, wait_for
from tests.processes.services import own_services

BEAT_S = 0.5
LEASE_S = 3 * BEAT_S
# The lease, a beat on its way, and a machine with other work.
WITHIN_S = LEASE_S + 3
PROGRAM = """
import sys, time
from agentconsole.sdk import Console
console = Console.from_env()
console = Console(*console.endpoint, beat_s=float(sys.argv[1]))
slack = console.component("slack thread", lease_s=60)
console.startup(expected=["logs"], loaded=["logs"])
slack.beat()
time.sleep(120)
"""


class Agent:
    """An agent's process, and its state as the console tells it."""

    def __init__(self, console: RunningConsole, name: str) -> None:
        printed = console.manage("issue_credential", "dev", "triage", name)
        found = re.search(r"ac_[\w-]{43}", printed)
        assert found, printed
        self.token = found[0]
        self.console = console
        env = {"CONSOLE_URL": console.url, "CONSOLE_TOKEN": self.token, "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(BEAT_S)], env=os.environ | env)

    def told(self) -> dict[str, Any]:
        answer = httpx.get(
            f"{self.console.url}/api/v1/instance", headers={"Authorization": f"Bearer {self.token}"}, timeout=10
        )
        return dict(answer.json()) if answer.status_code == httpx.codes.OK else {}

    def becomes(self, state: str, within_s: float = 30) -> float:
        """Seconds until it was so."""
        began = time.monotonic()
        wait_for(f"the instance is {state}", lambda: self.told().get("state") == state, within_s=within_s)
        return time.monotonic() - began


@pytest.fixture
def console(tmp_path: Path) -> Iterator[RunningConsole]:
    with own_services() as services:
        running = RunningConsole(tmp_path, **services)
        running.start()
        yield running
        running.end()


def test_the_dead_the_frozen_the_idle_and_the_stopped_are_told_apart(console: RunningConsole):
    killed, frozen, idle, stopped = agents = [Agent(console, name) for name in ("killed", "frozen", "idle", "stopped")]
    try:
        for agent in agents:
            agent.becomes("idle", within_s=60)
        killed.process.send_signal(signal.SIGKILL)
        frozen.process.send_signal(signal.SIGSTOP)
        stopped.process.send_signal(signal.SIGTERM)
        assert killed.becomes("gone", WITHIN_S + 5) < WITHIN_S + 5
        frozen.becomes("gone", WITHIN_S)
        stopped.becomes("stopped")
        assert (idle.told()["state"], idle.told()["ready"]) == ("idle", True)
        frozen.process.send_signal(signal.SIGCONT)
        frozen.becomes("idle")
        assert [killed.told()["state"], stopped.told()["state"]] == ["gone", "stopped"]
    finally:
        for agent in agents:
            agent.process.kill()
            agent.process.wait()
