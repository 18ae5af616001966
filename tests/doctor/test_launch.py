"""The doctor's process is held to its time, whatever it is doing."""

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from celery import signals

import runs.tasks  # noqa: F401  it listens to the worker
from agentconsole.protocol.context import RequestContext, Transport
from runs.doctor import launch as launching
from runs.doctor.launch import launch
from tests.sdk.receiver import Receiver, wait_until

pytestmark = pytest.mark.processes
CONTEXT = RequestContext.mint(Transport.CLI)


@pytest.fixture(autouse=True)
def _own_console(settings: Any, tmp_path: Path) -> None:
    settings.VAR_DIR = tmp_path
    settings.LOG_FILE = ""


def test_a_process_over_its_limit_is_stopped(settings: Any):
    settings.CONSOLE_URL = "http://127.0.0.1:9"
    started = time.monotonic()
    assert launch(CONTEXT, token="ac_test", limit_s=0.2) < 0
    assert time.monotonic() - started < launching.STOP_GRACE_S


def test_a_worker_that_ends_ends_its_doctor_whose_run_is_told_as_cancelled(settings: Any):
    receiver = Receiver()
    settings.CONSOLE_URL = receiver.url
    with ThreadPoolExecutor(1) as worker:
        launched = worker.submit(launch, CONTEXT, token="ac_test")
        wait_until(lambda: receiver.of("run.started"), within_s=30)
        signals.worker_shutting_down.send(sender=None)
        assert launched.result(launching.STOP_GRACE_S) < 0
    [finished] = receiver.of("run.finished")
    receiver.close()
    assert finished["status"] == "cancelled"


def test_the_credential_goes_by_the_environment_alone(settings: Any):
    settings.CONSOLE_URL = "http://127.0.0.1:9"
    variables = launching._variables(CONTEXT, "ac_test")
    assert variables["CONSOLE_TOKEN"] == "ac_test"
    assert json.loads(variables[launching.CONTEXT_VARIABLE])["request_id"] == CONTEXT.request_id
    assert "CONSOLE_TOKEN" not in os.environ


def test_the_doctor_has_a_log_file_of_its_own(settings: Any, tmp_path: Path):
    settings.LOG_FILE = str(tmp_path / "logs" / "worker.log")
    assert launching._variables(CONTEXT, "ac_test")["LOG_FILE"] == str(tmp_path / "logs" / "doctor.log")


def test_the_doctor_is_not_told_where_the_consoles_own_traces_and_errors_go(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer of-the-console")
    monkeypatch.setenv("SENTRY_DSN", "https://key@sentry.example.org/1")
    monkeypatch.setenv("LOG_LEVEL", "DEBUG")
    inherited = launching._inherited()
    assert not [name for name in inherited if name.startswith(("OTEL_", "SENTRY_"))]
    assert inherited["LOG_LEVEL"] == "DEBUG"
