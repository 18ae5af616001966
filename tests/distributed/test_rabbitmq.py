"""RabbitMQ as the task queue's broker: a task goes through it."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from kombu import Connection

from agentconsole.celery import app
from agentconsole.health import proving
from agentconsole.health.tasks import beat
from tests.distributed.deployment import WORKER, parts
from tests.processes.running import RunningConsole, wait_for
from tests.processes.services import own_services

pytestmark = pytest.mark.rabbitmq
URL = "amqp://guest:guest@127.0.0.1:5672//"


@pytest.fixture
def queue() -> Iterator[str]:
    """A queue that no other console's workers empty."""
    name = f"test-{uuid.uuid4().hex[:12]}"
    yield name
    with Connection(URL) as connection:
        connection.channel().queue_delete(name)  # type: ignore[attr-defined]


@pytest.mark.processes
def test_a_worker_runs_what_was_sent(tmp_path: Path, queue: str):
    with own_services() as services:
        setting = RunningConsole(tmp_path, **{**services, "CELERY_BROKER_URL": URL, "LOG_LEVEL": "DEBUG"})
        setting.manage("migrate", "-v", "0")
        with parts(tmp_path, setting.env) as start, Connection(URL) as connection:
            worker = start("worker", [*WORKER, "--queues", queue, "--without-gossip", "--without-mingle"])
            beat.apply_async(queue=queue, connection=connection)  # type: ignore[call-arg]
            (finished,) = wait_for("the task has ended", lambda: worker.events("TASK_FINISHED"), within_s=120)
    assert finished["task"] == beat.name


def test_the_check_of_the_broker_proves_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(app.conf, "broker_url", URL)
    monkeypatch.setitem(app.conf, "broker_transport_options", {})
    assert proving.broker().detail == "it answered (amqp)"
