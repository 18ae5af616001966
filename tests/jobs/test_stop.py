"""What asks a worker to stop stops that worker alone, once, and nothing else of the process that it runs in."""

import os
import signal
from typing import Any

import pytest
from celery import signals
from celery.contrib.testing.worker import start_worker

from agentconsole import workers
from agentconsole.celery import app


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Whom the worker would have killed."""
    pids: list[int] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: pids.append(pid) if number == signal.SIGKILL else None)
    return pids


class Pool:
    def __init__(self, *pids: int) -> None:
        self.info = {"processes": list(pids)}


class Worker:
    def __init__(self, *pids: int) -> None:
        self.pool = Pool(*pids)


def test_past_the_deadline_the_processes_of_its_pool_are_ended_and_never_its_own(killed: list[int]):
    worker: Any = Worker(os.getpid(), 12, 13)
    workers._kill_processes(worker)
    assert sorted(killed) == [12, 13]


def test_another_worker_of_the_process_is_not_asked():
    worker: Any
    with start_worker(app, pool="solo", perform_ping_check=False, shutdown_timeout=10) as worker:
        signals.worker_shutting_down.send(sender="celery@elsewhere")
        assert not workers._stops[worker.hostname].is_asked
