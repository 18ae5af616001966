"""The web process is killed under ingest, ten times: what was acknowledged is there, and nothing is there twice."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from agentconsole.management.listening import listen, url_of
from agentconsole.sdk import Console
from tests.ingest.items import event, new_run, run_started
from tests.processes.running import ROOT, RunningConsole, wait_for
from tests.processes.services import own_services
from tests.processes.test_story import csrf_of

pytestmark = pytest.mark.processes
KILLS = 10
BATCH = 40


class Web:
    """One web process on a socket that outlives it, as under the supervisor."""

    def __init__(self, setting: RunningConsole) -> None:
        self.listening = listen("127.0.0.1", 0)
        self.url = url_of(self.listening)
        self.setting = setting
        setting.manage("migrate", "-v", "0")
        self.password = setting.manage("setup_console").split("Password:")[1].split()[0]
        self.token = setting.manage("issue_credential", "dev", "triage", "one")
        self.start()

    def start(self) -> None:
        """Start it; requests wait in the socket until it takes them."""
        command = [sys.executable, "manage.py", "serve", "--fd", str(self.listening.fileno())]
        with self.setting.output.open("ab") as output:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=self.setting.env,
                pass_fds=[self.listening.fileno()],
                stdout=output,
                stderr=output,
            )

    def kill(self) -> None:
        """No farewell."""
        self.process.kill()
        self.process.wait()

    def log_of(self, run: str) -> list[dict[str, Any]]:
        """All events of a run, as a person reads them."""
        with httpx.Client(base_url=self.url, timeout=30) as browser:
            door = {
                "csrfmiddlewaretoken": csrf_of(browser.get("/login/")),
                "username": "admin",
                "password": self.password,
            }
            browser.post("/login/", data=door)
            events: list[dict[str, Any]] = []
            after, more = 0, True
            while more:
                page = browser.get(f"/api/v1/runs/{run}/log", params={"after": after}).json()
                events, after, more = events + page["events"], page["seq"], page["more"]
        return events


class Sender(threading.Thread):
    """Posts numbered events without pause; a batch that got no answer is sent again, as it was."""

    def __init__(self, web: Web) -> None:
        super().__init__(daemon=True)
        self.web = web
        self.run_id = new_run()
        self.acknowledged: list[int] = []
        self.unanswered = 0
        self.enough = threading.Event()

    def has_acknowledged(self, count: int) -> bool:
        """Whether that many events got their 2xx."""
        return len(self.acknowledged) >= count

    def run(self) -> None:
        """Send until it is enough."""
        with httpx.Client(base_url=self.web.url, headers={"Authorization": f"Bearer {self.web.token}"}) as agent:
            self._deliver(agent, [run_started(self.run_id)])
            while not self.enough.is_set():
                first = len(self.acknowledged)
                numbers = range(first, first + BATCH)
                self._deliver(agent, [event(self.run_id, fields={"n": number}) for number in numbers])
                self.acknowledged.extend(numbers)

    def _deliver(self, agent: httpx.Client, items: list[dict[str, Any]]) -> None:
        while True:
            try:
                answer = agent.post("/api/v1/ingest", json={"items": items}, timeout=30)
            except httpx.TransportError:
                self.unanswered += 1
                continue
            assert answer.json()["rejected"] == [], answer.text
            return


class Agent(threading.Thread):
    """Emits numbered events through the SDK, which knows nothing of the kills."""

    def __init__(self, web: Web, journal: Path) -> None:
        super().__init__(daemon=True)
        self.console = Console(web.url, web.token, journal_dir=journal)
        self.emitted = 0
        self.run_id = ""
        self.enough = threading.Event()

    def run(self) -> None:
        """Work until it is enough, then deliver what is left."""
        with self.console.run(query="count") as run:
            self.run_id = str(run.run_id)
            while not self.enough.wait(0.002):
                run.event("ROUTER_DECISION", n=self.emitted)
                self.emitted += 1
        self.console.close(60)


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    with own_services() as services:
        web = Web(RunningConsole(tmp_path, **services))
        yield web
        web.kill()
        web.listening.close()


def test_what_was_acknowledged_is_there_once_after_ten_kills(web: Web, tmp_path: Path):
    sender, agent = Sender(web), Agent(web, tmp_path / "journal")
    sender.start()
    agent.start()
    for _ in range(KILLS):
        enough = len(sender.acknowledged) + 4 * BATCH
        wait_for("more is acknowledged", partial(sender.has_acknowledged, enough))
        web.kill()
        web.start()
    for thread in (sender, agent):
        thread.enough.set()
        thread.join(90)
        assert not thread.is_alive()
    assert sender.unanswered > 0  # the kills hit requests under way
    assert sorted(found["fields"]["n"] for found in web.log_of(sender.run_id)) == sender.acknowledged
    counted = [found["fields"]["n"] for found in web.log_of(agent.run_id) if found["token"] == "ROUTER_DECISION"]
    assert sorted(counted) == list(range(agent.emitted))
