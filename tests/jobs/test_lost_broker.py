"""A worker whose broker goes away, or takes no writes: it stays, and works on when all is well again."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis
from celery import Celery

from tests.processes.running import ROOT, wait_for
from tests.servers import OwnRedis

pytestmark = [pytest.mark.processes, pytest.mark.redis]
PREFIX = "lost-broker"


@pytest.fixture
def broker() -> Iterator[OwnRedis]:
    with OwnRedis() as running:
        yield running


@pytest.fixture
def worker(broker: OwnRedis, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    variables = {"CELERY_BROKER_URL": broker.url, "REDIS_PREFIX": PREFIX, "CONSOLE_VAR": str(tmp_path / "var")}
    command = ["-m", "celery", "-A", "agentconsole", "worker", "-I", "tests.jobs.held_tasks", "--pool", "threads"]
    with (tmp_path / "worker.out").open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, *command, "--concurrency", "2"],
            cwd=ROOT,
            env=os.environ | variables,
            stdout=out,
            stderr=out,
        )
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def sender(broker: OwnRedis) -> Iterator[Celery]:
    with Celery(broker=broker.url, set_as_current=False) as app:
        app.conf.broker_transport_options = {"global_keyprefix": f"{PREFIX}:"}
        yield app


@dataclass
class Running:
    """A worker, its broker, and whoever sends to it."""

    broker: OwnRedis
    worker: subprocess.Popen[bytes]
    sender: Celery
    folder: Path

    def send(self, task: str, argument: Path) -> None:
        """Have a task of `held_tasks` run."""
        self.sender.send_task(f"tests.jobs.held_tasks.{task}", [str(argument)])

    def wait_for_loss(self) -> None:
        """Until it says that its broker is gone."""
        wait_for("it noticed", lambda: "Connection to broker lost" in self.text, within_s=30)

    def assert_works_on(self) -> None:
        """It is still the same process, and takes messages."""
        self.send("note", self.folder / "noted")
        done = (self.folder / "noted").exists
        wait_for("it works on", lambda: done() or self.worker.poll() is not None, within_s=60)
        assert self.worker.poll() is None, self.text

    @property
    def text(self) -> str:
        """What it printed."""
        return (self.folder / "worker.out").read_text(encoding="utf-8")


@pytest.fixture
def running(broker: OwnRedis, worker: subprocess.Popen[bytes], sender: Celery, tmp_path: Path) -> Running:
    """A worker with a message in hand."""
    running = Running(broker, worker, sender, tmp_path)
    running.send("hold", tmp_path)
    wait_for("it has the message in hand", (tmp_path / "held").exists, within_s=60)
    return running


def test_a_worker_with_a_message_in_hand_survives_its_broker(running: Running):
    running.broker.kill()
    running.wait_for_loss()
    running.broker.start()
    (running.folder / "release").touch()
    running.assert_works_on()


def test_a_worker_survives_that_its_broker_takes_no_writes(running: Running):
    (running.folder / "release").touch()
    with redis.Redis(port=running.broker.port) as operator:
        operator.execute_command("REPLICAOF", "127.0.0.1", "1")
        running.wait_for_loss()
        operator.execute_command("REPLICAOF", "NO", "ONE")
    running.assert_works_on()
