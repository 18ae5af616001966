"""A combination of settings that can't work is an error with an id and a hint, and no process starts on it."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import CheckMessage, run_checks

from agentconsole.checks import check_shape
from tests.processes.running import ROOT


def found(check_id: str) -> list[CheckMessage]:
    """The messages of one check."""
    return [message for message in run_checks() if message.id == check_id]


def test_the_settings_of_a_laptop_pass():
    assert [message for message in run_checks() if message.is_serious()] == []


@pytest.mark.parametrize(
    ("check_id", "changed"),
    [
        ("console.E001", {"IS_PROD": True, "HAS_SECRET_KEY": False}),
        ("console.E002", {"CONSOLE_ENV": "production"}),
        ("console.E003", {"WEB_PROCESSES": 2, "REDIS_URL": ""}),
        ("console.E005", {"VAR_DIR": Path("/proc/console")}),
        ("console.E006", {"GRANT_TTL_S": 59}),
        ("console.E006", {"GRANT_TTL_S": 301}),
        ("console.E009", {"DRAIN_S": 0}),
        ("console.E009", {"WORKER_DRAIN_S": 3601}),
    ],
)
def test_what_cannot_work_is_an_error_that_says_what_to_do(settings: Any, check_id: str, changed: dict[str, Any]):
    for name, value in changed.items():
        setattr(settings, name, value)
    (message,) = found(check_id)
    assert message.is_serious()
    assert message.hint


def test_another_database_than_the_two_is_an_error(settings: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", "django.db.backends.mysql")
    assert [message.id for message in check_shape(None)] == ["console.E004"]


@pytest.mark.processes
@pytest.mark.parametrize(
    "command",
    [
        ["manage.py", "console", "--port", "0"],
        ["manage.py", "serve", "--port", "0"],
        ["manage.py", "otlp_grpc", "--port", "0"],
        ["-m", "celery", "-A", "agentconsole", "worker", "--pool", "solo"],
        ["-m", "celery", "-A", "agentconsole", "beat"],
    ],
    ids=["console", "serve", "otlp_grpc", "worker", "beat"],
)
def test_no_process_starts_on_an_error(command: list[str], tmp_path: Path):
    inherited = {name: value for name, value in os.environ.items() if name not in ("SECRET_KEY", "LOG_FILE")}
    env = {**inherited, "CONSOLE_ENV": "prod", "CONSOLE_VAR": str(tmp_path)}
    ended = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 1
    assert "console.E001" in ended.stderr
    assert "Traceback" not in ended.stderr
