"""The distributed shape in real processes: web processes on ports of their own, a worker, a beat, on PostgreSQL and Redis."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.processes.running import ROOT, RunningConsole, wait_for
from tests.processes.services import own_services
from tests.servers import free_port

Process = subprocess.Popen[bytes]
READY_WITHIN_S = 60
STOP_WITHIN_S = 60


@dataclass
class Part:
    """One process of the console, replaceable. What it prints goes to the console's output."""

    setting: RunningConsole
    command: list[str]
    process: Process | None = None

    def start(self) -> None:
        """Start it, or the next one in its place."""
        with self.setting.output.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, *self.command], cwd=ROOT, env=self.setting.env, stdout=output, stderr=output
            )

    @property
    def pid(self) -> int:
        """The id of the process that runs now."""
        assert self.process is not None
        return self.process.pid

    def stop(self) -> int:
        """SIGTERM, and its exit code."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(STOP_WITHIN_S)

    def kill(self) -> None:
        """Leave nothing behind."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@dataclass
class Web(Part):
    """A web process, always on the same port."""

    port: int = 0

    @property
    def url(self) -> str:
        """Where it answers, past any proxy."""
        return f"http://127.0.0.1:{self.port}"

    def is_ready(self) -> bool:
        """Whether its probe says so; one that is still starting says nothing."""
        try:
            return httpx.get(f"{self.url}/health/ready", timeout=10).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def wait_until_ready(self) -> None:
        """As a rolling restart does before it goes on to the next one."""
        wait_for(f"{self.url} is ready", self.is_ready, within_s=READY_WITHIN_S)


@dataclass
class Deployment:
    """A console of several processes, and its first admin's password."""

    setting: RunningConsole
    webs: list[Web]
    parts: list[Part]
    password: str = field(default="", repr=False)

    def issue_credential(self, agent: str) -> str:
        """A credential of an instance of `agent` in `dev`."""
        return self.setting.manage("issue_credential", "dev", agent, f"{agent}-1").split()[-1]


@contextmanager
def deployment(folder: Path, webs: int = 2, /, **variables: str) -> Iterator[Deployment]:
    """A console on services of its own, ready, with `variables` on top of the environment."""
    with own_services() as services:
        setting = RunningConsole(folder, **services, WEB_PROCESSES=str(webs), **variables)
        setting.manage("migrate", "-v", "0")
        password = setting.manage("setup_console").split("Password:")[1].split()[0]
        ports = [free_port() for _ in range(webs)]
        fronts = [Web(setting, ["manage.py", "serve", "--port", str(port)], port=port) for port in ports]
        celery = ["-m", "celery", "-A", "agentconsole"]
        parts = [
            *fronts,
            Part(setting, [*celery, "worker", "--concurrency", "1"]),
            Part(setting, [*celery, "beat"]),
        ]
        try:
            for part in parts:
                part.start()
            for web in fronts:
                web.wait_until_ready()
            yield Deployment(setting, fronts, parts, password)
        finally:
            for part in parts:
                part.kill()


def sign_in(url: str, password: str, *, verify: object = True) -> httpx.Client:
    """The admin's browser, signed in."""
    from tests.processes.test_story import csrf_of

    browser = httpx.Client(base_url=url, timeout=60, verify=verify)  # type: ignore[arg-type]  # httpx's own union
    form = {"csrfmiddlewaretoken": csrf_of(browser.get("/login/")), "username": "admin", "password": password}
    answer = browser.post("/login/", data=form, headers={"Referer": url})
    assert answer.status_code == httpx.codes.FOUND, answer.text
    return browser
