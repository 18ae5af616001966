"""A real web process with a database and a folder of its own, for tests that look at it with a browser."""

import json
import os
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Page

from tests.cast import PASSWORD
from tests.processes.running import ROOT, wait_for


class WebConsole:
    """`manage.py serve`. People: vera (viewer), omar (operator), ada (admin), sam (no role). Agents: triage in dev and prod."""

    def __init__(self, folder: Path, **env: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "serve.log"
        own = {
            "CONSOLE_VAR": str(folder / "var"),
            "CONSOLE_URL": self.url,
            "DOCTOR_ENABLED": "off",
            "LOG_FORMAT": "json",
        }
        self.env = {**os.environ, **own, "INGEST_RATE": "1000000", "LOGIN_RATE": "1000", **env}
        self.tokens: dict[str, str] = {}
        self.sessions: dict[str, Any] = {}
        self.process: subprocess.Popen[bytes] | None = None
        self.pacemaker: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Make the database and its people, and serve."""
        self.manage("migrate", "--verbosity", "0")
        self.manage("setup_console")
        self.tokens = json.loads(self._run("-m", "tests.browser.people"))
        self.serve()

    def serve(self) -> None:
        """Start the web process, and wait until it is ready: something else leaves the beats of the worker that it has not."""
        with self.log.open("ab") as log:
            self._keep_pace()
            command = [sys.executable, "manage.py", "serve", "--port", str(self.port)]
            self.process = subprocess.Popen(command, cwd=ROOT, env=self.env, stdout=log, stderr=subprocess.STDOUT)
        wait_for(f"the console is up (see {self.log})", self._is_up, within_s=60)
        wait_for(f"the console is ready (see {self.log})", self.is_ready, within_s=60)

    def _keep_pace(self) -> None:
        with self.log.open("ab") as log:
            pacemaker = [sys.executable, "-m", "tests.browser.pacemaker", "beat"]
            self.pacemaker = subprocess.Popen(pacemaker, cwd=ROOT, env=self.env, stdout=log, stderr=subprocess.STDOUT)

    def stop(self) -> None:
        """End the web process; `serve` starts another on the same address."""
        for process in (self.process, self.pacemaker):
            if process is not None:
                process.terminate()
                process.wait(30)
        self.process = self.pacemaker = None

    def manage(self, *command: str) -> str:
        """What a management command prints."""
        return self._run("manage.py", *command)

    def index(self) -> None:
        """What was ingested is found by the search, which a worker does within seconds."""
        self.manage("shell", "--command", "from traces.services.indexing import index_log; index_log()")

    def forget_leaks(self) -> None:
        """No leak is open any more: other tests' pages begin without its banner."""
        self.manage("shell", "--command", "from traces.models import LeakIncident; LeakIncident.objects.all().delete()")

    def begin_wait(self, run_id: str, action_id: str, name: str) -> None:
        """A run waits for a person from now on, as it does when its agent asks."""
        self._run("-m", "tests.browser.waits", "begin", run_id, action_id, name)

    def end_wait(self, run_id: str, action_id: str, outcome: str, message: str) -> None:
        """A person has decided."""
        self._run("-m", "tests.browser.waits", outcome, run_id, action_id, message)

    def _run(self, *command: str) -> str:
        done = subprocess.run(
            [sys.executable, *command], cwd=ROOT, env=self.env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip().rpartition("\n")[2]

    def is_ready(self) -> bool:
        """Whether the probe says so."""
        return httpx.get(f"{self.url}/health/ready", timeout=5).is_success

    @contextmanager
    def without_worker(self) -> Iterator[None]:
        """A worker that is gone, for a while. It is ended, not stopped: it could hold the database's lock."""
        assert self.pacemaker is not None
        self.pacemaker.terminate()
        self.pacemaker.wait(30)
        try:
            self._run("-m", "tests.browser.pacemaker", "forget", "worker")
            wait_for("the console is not ready", lambda: not self.is_ready())
            yield
        finally:
            self._keep_pace()
            wait_for("the console is ready again", self.is_ready)

    def make_history(self) -> str:
        """A day of health, in which something was wrong for four minutes: which (`02:10–02:14`, UTC)."""
        return self._run("-m", "tests.browser.pacemaker", "history")

    def _is_up(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text(encoding="utf-8")
        try:
            return httpx.get(f"{self.url}/login/", timeout=5).is_success
        except httpx.TransportError:
            return False

    def login(self, page: Page, who: str = "ada", *, is_fresh: bool = False) -> None:
        """Sign a person in, and be on the run list. Through the form the first time, then with the same session again;
        a test that signs out asks for one of its own."""
        if who in self.sessions and not is_fresh:
            page.context.add_cookies(self.sessions[who])
            page.goto(f"{self.url}/runs/")
            return
        page.goto(f"{self.url}/login/")
        page.fill("#id_username", who)
        page.fill("#id_password", PASSWORD)
        page.click("button:text-is('Sign in')")
        page.wait_for_url(f"{self.url}/runs/")
        if not is_fresh:
            self.sessions[who] = page.context.cookies()

    def ask(self, arguments: dict[str, Any], agent: str = "triage@dev", **more: Any) -> str:
        """Put an action into the queue as an agent; its id."""
        headers = {"Authorization": f"Bearer {self.tokens[agent]}", "Idempotency-Key": str(uuid.uuid4())}
        body = {"tool": "restart", "arguments": arguments, "timeout": "1h", **more}
        response = httpx.post(f"{self.url}/api/aap/v1/requests", json=body, headers=headers, timeout=30)
        assert response.status_code == httpx.codes.CREATED, response.text
        return str(response.json()["id"])

    def action(self, action_id: str, agent: str = "triage@dev", wait: str = "") -> dict[str, Any]:
        """The action as its agent sees it."""
        headers = {"Authorization": f"Bearer {self.tokens[agent]}"}
        path = f"{self.url}/api/aap/v1/requests/{action_id}" + (f"?wait={wait}" if wait else "")
        answer: dict[str, Any] = httpx.get(path, headers=headers, timeout=40).json()
        return answer

    def claim(self, action_id: str, about_to_run: dict[str, Any], agent: str = "triage@dev") -> str:
        """Start an action as its agent, saying what is about to run; the code of the refusal, if there is one."""
        headers = {"Authorization": f"Bearer {self.tokens[agent]}", "Idempotency-Key": str(uuid.uuid4())}
        path = f"{self.url}/api/aap/v1/requests/{action_id}/consume"
        answer = httpx.post(path, json={"action": about_to_run}, headers=headers, timeout=30).json()
        return str(answer.get("error", {}).get("code", ""))

    def ingest(self, items: Sequence[dict[str, Any]], agent: str = "triage@dev") -> dict[str, Any]:
        """Send items as an agent; its answer. AssertionError if any was refused."""
        headers = {"Authorization": f"Bearer {self.tokens[agent]}"}
        response = httpx.post(f"{self.url}/api/v1/ingest", json={"items": list(items)}, headers=headers, timeout=30)
        assert response.status_code == httpx.codes.OK, response.text
        answer: dict[str, Any] = response.json()
        assert not answer["rejected"], answer["rejected"]
        return answer
