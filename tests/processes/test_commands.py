"""A management command is a request of its own: its lines carry an id, its mistakes say what to do."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from agentconsole.env import BASE_DIR

pytestmark = [pytest.mark.processes, pytest.mark.sqlite]


@pytest.fixture
def manage(clean_folder: Path):
    def run(*command: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"CONSOLE_VAR": str(clean_folder), "LOG_FORMAT": "json", "DATABASE_URL": ""}
        return subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=BASE_DIR,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    run("migrate", "--verbosity", "0")
    run("setup_console")
    return run


def test_a_credential_is_printed_alone_and_its_log_line_carries_the_commands_request(manage):
    done = manage("issue_credential", "dev", "triage", "one")
    assert done.stdout.startswith("ac_")
    assert len(done.stdout.split()) == 1
    lines = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    issued = next(line for line in lines if line["event"] == "CREDENTIAL_ISSUED")
    assert issued["request_id"].startswith("req_")
    assert issued["transport"] == "cli"
    assert done.stdout.strip() not in done.stderr


def test_a_mistake_is_told_in_one_line(manage):
    done = manage("issue_credential", "nowhere", "triage", "one")
    assert done.returncode == 1
    assert "There is no environment 'nowhere'" in done.stderr
    assert "Traceback" not in done.stderr
