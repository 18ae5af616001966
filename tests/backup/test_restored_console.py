"""From a backup and nothing else, a console starts in an empty folder and knows its agents."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cast import AgentCaller
from tests.ingest.items import new_run, whole_run
from tests.processes.running import ROOT

pytestmark = [pytest.mark.sqlite, pytest.mark.processes]
FIRST_CALL = """
import json
from django.core.management import call_command
from django.test import Client
call_command("check")
call_command("verify_audit")
headers = {"Authorization": "Bearer TOKEN"}
client = Client(headers={"host": "localhost"})
print(client.post("/api/v1/ingest", json.dumps({"items": ITEMS}), "application/json", headers=headers).json()["accepted"])
"""


def test_a_console_starts_from_it(archive: Path, elsewhere: Path, caller: AgentCaller, tmp_path: Path):
    # `elsewhere` has no key: the command makes one by starting, and must let go of it.
    own = {"CONSOLE_VAR": str(elsewhere), "DATABASE_URL": "", "LOG_LEVEL": "WARNING", "SECRET_KEY": ""}

    def manage(*command: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=ROOT, env=os.environ | own, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        return done.stdout

    assert "The audit chain is whole: 3 entries" in manage("restore", str(archive))
    call = FIRST_CALL.replace("TOKEN", caller.token).replace("ITEMS", str(whole_run(new_run())))
    told = manage("shell", "--no-imports", "-c", call)
    assert "The audit chain is whole: 4 entries" in told
    assert told.strip().endswith("\n7")
