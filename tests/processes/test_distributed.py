"""The processes of a deployment, each on its own: web twice, worker, beat, on PostgreSQL and Redis."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest

from agentconsole.management.listening import listen, url_of
from tests.processes.database import own_database
from tests.processes.running import ROOT, RunningConsole, wait_for

pytestmark = [pytest.mark.processes, pytest.mark.postgres, pytest.mark.redis]
Process = subprocess.Popen[bytes]


@pytest.fixture
def deployed(tmp_path: Path) -> Iterator[tuple[dict[str, Process], list[str]]]:
    """Its processes by name, and where its web processes are."""
    with own_database() as database, listen("127.0.0.1", 0) as one, listen("127.0.0.1", 0) as two:
        setting = RunningConsole(tmp_path, **database, WEB_PROCESSES="2")
        setting.manage("migrate", "-v", "0")
        setting.manage("setup_console")
        celery = ["-m", "celery", "-A", "agentconsole"]
        commands = {
            "web one": ["manage.py", "serve", "--fd", str(one.fileno())],
            "web two": ["manage.py", "serve", "--fd", str(two.fileno())],
            "worker": [*celery, "worker", "--concurrency", "2"],
            "beat": [*celery, "beat"],
        }
        fds = (one.fileno(), two.fileno())
        with setting.output.open("ab") as output:
            processes = {
                name: subprocess.Popen(
                    [sys.executable, *command], cwd=ROOT, env=setting.env, pass_fds=fds, stdout=output, stderr=output
                )
                for name, command in commands.items()
            }
        yield processes, [url_of(one), url_of(two)]
        for process in processes.values():
            process.kill()
            process.wait()


def is_ready(url: str) -> bool:
    """Whether the probe says so; a process that is still starting says nothing."""
    try:
        return httpx.get(f"{url}/health/ready", timeout=10).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def test_every_web_process_is_ready_and_each_process_ends_in_order(deployed: tuple[dict[str, Process], list[str]]):
    processes, urls = deployed
    for url in urls:
        wait_for("it is ready", partial(is_ready, url), within_s=60)
    for process in processes.values():
        process.send_signal(signal.SIGTERM)
    assert {name: process.wait(30) for name, process in processes.items()} == dict.fromkeys(processes, 0)
