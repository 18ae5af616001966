"""Real processes: one click is one trace through web and worker; off, nothing of it is loaded; a hanging collector holds nobody."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest

from agentconsole.management.listening import listen, url_of
from tests.processes.conftest import console
from tests.processes.running import ROOT, RunningConsole, wait_for
from tests.processes.test_story import csrf_of
from tests.telemetry.collectors import Collector, dsn_of

__all__ = ["console"]  # a fixture

pytestmark = pytest.mark.processes
REQUEST_ID = "req_one-click-one-trace"
TASK = "runs.tasks.run_doctor"
SECRET = "hunter2-hunter2-hunter2"


def alone(env: Mapping[str, str]) -> dict[str, str]:
    """Its queue is its own: nobody else's worker takes what it sends."""
    return {name: value for name, value in env.items() if name not in ("REDIS_URL", "CELERY_BROKER_URL")}


@pytest.fixture
def up(console: RunningConsole, collector: Collector) -> RunningConsole:
    """A console that sends to the collector. Its doctor's credential opens nothing, so that its task is short."""
    console.env = {
        **alone(console.env),
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_EXPORTER_OTLP_HEADERS": f"authorization=Bearer {SECRET}",
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        "SENTRY_DSN": dsn_of(collector),
        "DOCTOR_ENABLED": "on",
        "DOCTOR_TOKEN": SECRET,
        "METRICS_TOKEN": SECRET,
    }
    console.start()
    return console


def test_one_click_is_one_trace_through_web_and_worker_and_stopping_sends_what_is_left(
    up: RunningConsole, collector: Collector
):
    with httpx.Client(base_url=up.url, timeout=20, headers={"User-Agent": SECRET}) as browser:
        door = {"csrfmiddlewaretoken": csrf_of(browser.get("/login/")), "username": "admin", "password": up.password}
        browser.post(f"/login/?token={SECRET}", data=door)
        form = {"csrfmiddlewaretoken": csrf_of(browser.get("/settings/password"))}
        answer = browser.post("/agents/doctor/run", data=form, headers={"X-Request-ID": REQUEST_ID})
        assert answer.status_code == 302
        for _ in range(3):
            browser.get("/health/live")
            browser.get("/static/none.css")
    wait_for("the task is done", lambda: [line for line in up.logged("TASK_FINISHED") if is_ours(line)])
    assert up.stop() == 0
    ours = [span for span in collector.spans() if span.attributes.get("request.id") == REQUEST_ID]
    assert len({span.trace_id for span in ours}) == 1
    (click,) = [span for span in ours if span.name.startswith("POST ")]
    (task,) = [span for span in ours if span.name == TASK]
    assert click.attributes["http.response.status_code"] == 302
    assert task.parent_id == click.span_id
    below = {span.parent_id for span in ours if span.name == "SELECT"}
    assert below == {click.span_id, task.span_id}
    logged = [line for token in ("REQUEST_FINISHED", "TASK_FINISHED") for line in up.logged(token) if is_ours(line)]
    assert {line["trace_id"] for line in logged} == {click.trace_id}
    names = {span.name for span in collector.spans() if span.kind != 3}
    assert {"GET login/", "POST login/"} <= names
    assert not [name for name in names if "static" in name or "health" in name]
    assert SECRET.encode() not in collector.everything
    assert up.password.encode() not in collector.everything


def is_ours(line: dict[str, str]) -> bool:
    """Whether a line is of the click."""
    return line.get("request_id") == REQUEST_ID


def served(console: RunningConsole, errors: Path, *flags: str) -> tuple[subprocess.Popen[bytes], str]:
    """A web process that has answered, and where it is."""
    with listen("127.0.0.1", 0) as listening, errors.open("wb") as output:
        command = [sys.executable, *flags, "manage.py", "serve", "--fd", str(listening.fileno())]
        process = subprocess.Popen(
            command, cwd=ROOT, env=console.env, pass_fds=[listening.fileno()], stdout=output, stderr=output
        )
        url = url_of(listening)
        wait_for("it answers", lambda: httpx.get(f"{url}/login/", timeout=30).status_code == 200, within_s=60)
    return process, url


def test_off_neither_library_is_loaded(console: RunningConsole, tmp_path: Path):
    console.env = {name: value for name, value in console.env.items() if not name.startswith(("OTEL_", "SENTRY_"))}
    errors = tmp_path / "errors"
    process, _url = served(console, errors, "-X", "importtime")
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    loaded = {line.rsplit("|", 1)[1].strip() for line in errors.read_text().splitlines() if line.startswith("import ")}
    assert "agentconsole.telemetry" in loaded
    # Redis' client looks for OpenTelemetry's interfaces by itself, wherever they are installed.
    assert [name for name in loaded if name.startswith(("opentelemetry.exporter", "sentry_sdk"))] == []


def test_a_collector_that_hangs_holds_up_neither_answers_nor_the_end(
    console: RunningConsole, collector: Collector, tmp_path: Path
):
    collector.hangs = True
    console.env = {**console.env, "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "10"}
    process, url = served(console, tmp_path / "errors")
    assert collector.asked.wait(20)
    assert httpx.get(f"{url}/login/", timeout=10).status_code == 200
    asked = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    assert time.monotonic() - asked < 8


def test_no_process_starts_where_the_libraries_are_wanted_and_absent(tmp_path: Path):
    blocked = tmp_path / "sitecustomize.py"
    blocked.write_text("import sys\nsys.modules['sentry_sdk'] = None\nsys.modules['opentelemetry.exporter'] = None\n")
    env = {
        **os.environ,
        "CONSOLE_VAR": str(tmp_path),
        "PYTHONPATH": str(tmp_path),
        "SENTRY_DSN": "https://key@sentry.example.org/1",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318",
    }
    ended = subprocess.run(
        [sys.executable, "manage.py", "serve", "--port", "0"], cwd=ROOT, env=env, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    assert ended.stderr.count("console.E007") == 2
    assert "requirements-telemetry.txt" in ended.stderr


SEND = f"""
import django; django.setup()
from runs.tasks import run_doctor
run_doctor.apply_async(headers={{"traceparent": "00-{"a" * 32}-{"b" * 16}-01"}})
"""


def test_the_processes_of_a_workers_pool_send_their_own(console: RunningConsole, collector: Collector, tmp_path: Path):
    # Without tables, so that the task breaks in the pool's process.
    console.env = {
        **alone(console.env),
        "DJANGO_SETTINGS_MODULE": "agentconsole.settings",
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_BSP_SCHEDULE_DELAY": "60000",
        "SENTRY_DSN": dsn_of(collector),
        "DOCTOR_TOKEN": SECRET,
    }
    subprocess.run([sys.executable, "-c", SEND], cwd=ROOT, env=console.env, check=True)
    command = [
        sys.executable,
        "-m",
        "celery",
        "-A",
        "agentconsole",
        "worker",
        "--pool",
        "prefork",
        "--concurrency",
        "1",
    ]
    with (tmp_path / "errors").open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=console.env, stdout=output, stderr=output)
    try:
        wait_for("the event of the task", collector.events, within_s=60)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
    # Queued for a minute: what ended the process sent it.
    (task,) = [span for span in collector.spans() if span.name == TASK]
    assert (task.trace_id, task.parent_id) == ("a" * 32, "b" * 16)
    assert task.attributes["error.type"] in ("OperationalError", "ProgrammingError")
    (event,) = [event for event in collector.events() if event["message"] == "TASK_FAILED"]
    assert event["tags"]["request_id"] == task.attributes["request.id"]
    assert SECRET.encode() not in collector.everything
