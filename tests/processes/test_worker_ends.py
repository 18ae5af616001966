"""A worker that is asked to stop finishes its tasks, or gives them back: they run elsewhere, and what was done is not done again."""

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kombu import Connection

from tests.processes.running import ROOT, RunningConsole, wait_for
from tests.processes.services import own_services
from tests.processes.tiny_tasks import work

pytestmark = pytest.mark.processes
# More than the 2 s after which a worker on files looks up from its queue.
DRAIN_S = 4


class Workers:
    """One worker after the other on one queue."""

    def __init__(self, folder: Path, pool: str, broker_url: str, services: dict[str, str]) -> None:
        alone = {"CELERY_BROKER_URL": broker_url, "WORKER_DRAIN_S": str(DRAIN_S), "DATABASE_URL": "", "REDIS_URL": ""}
        self.setting = RunningConsole(folder, **{**services, **alone})
        self.pool = pool
        self.queue = f"test-{uuid.uuid4().hex[:12]}"
        messages, control = self.setting.var / "queue" / "messages", self.setting.var / "queue" / "control"
        files = {"data_folder_in": str(messages), "data_folder_out": str(messages), "control_folder": str(control)}
        keys = {"global_keyprefix": f"{services.get('REDIS_PREFIX')}:"}
        self.broker = Connection(broker_url, transport_options=files if broker_url.startswith("filesystem") else keys)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> subprocess.Popen[bytes]:
        """Another worker; it is ready."""
        options = ["-P", self.pool, "-c", "2", "-Q", self.queue, "--without-gossip", "--without-mingle"]
        command = ["-m", "celery", "-q", "-A", "agentconsole", "worker", "-I", "tests.processes.tiny_tasks", *options]
        with self.setting.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, *command], cwd=ROOT, env=self.setting.env, stdout=output, stderr=output
            )
        wait_for("it is ready", lambda: " ready." in self.setting.text, within_s=60)
        return self.process

    def send(self, file: Path, seconds: float) -> None:
        """Have the task run."""
        told: dict[str, Any] = {"queue": self.queue, "connection": self.broker}
        work.apply_async(kwargs={"file": str(file), "seconds": seconds}, **told)

    def end(self) -> None:
        """Leave neither process nor message."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        with self.broker as broker:
            channel: Any = broker.default_channel  # Celery's types know less of it than there is
            channel.queue_delete(self.queue)


@pytest.fixture(
    params=[
        pytest.param("embedded", marks=pytest.mark.sqlite),
        pytest.param("distributed", marks=pytest.mark.redis),
    ]
)
def workers(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Workers]:
    """Threads on a queue of files, as `make run` has them; processes on Redis."""
    shapes = {
        "embedded": ("threads", "filesystem://localhost"),
        "distributed": ("prefork", os.environ.get("REDIS_URL", "")),
    }
    pool, broker_url = shapes[request.param]
    with own_services() as services:
        running = Workers(tmp_path, pool, broker_url, services)
        yield running
        running.end()


def said(file: Path) -> list[str]:
    return file.read_text(encoding="ascii").split() if file.exists() else []


def test_tasks_are_finished_or_go_back(workers: Workers, tmp_path: Path):
    short, long = tmp_path / "short", tmp_path / "long"

    first = workers.start()
    workers.send(short, 1)
    wait_for("a task is at work", lambda: said(short))
    first.send_signal(signal.SIGTERM)
    assert first.wait(20) == 0
    assert said(short) == ["begun", "done"]

    second = workers.start()
    workers.send(long, 60)
    wait_for("a task is at work", lambda: said(long))
    second.send_signal(signal.SIGTERM)
    assert second.wait(DRAIN_S + 10) == 1
    assert [event["task"] for event in workers.setting.events("TASK_CUT_OFF")] == [work.name]

    third = workers.start()
    wait_for("it is at work again", lambda: said(long) == ["begun", "begun"])
    third.send_signal(signal.SIGTERM)
    wait_for("the drain has begun", lambda: workers.setting.events("DRAIN_STARTED"))
    asked_at = time.monotonic()
    third.send_signal(signal.SIGTERM)
    assert third.wait(10) == 1
    assert time.monotonic() - asked_at < DRAIN_S
    assert said(short) == ["begun", "done"]
