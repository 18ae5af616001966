"""Several `migrate` at once, as by pods that start together: one migrates, the others wait, all of them succeed."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes.running import ROOT, RunningConsole
from tests.processes.services import own_services


@pytest.mark.processes
def test_all_of_them_succeed(tmp_path: Path):
    with own_services() as services:
        setting = RunningConsole(tmp_path, **services)
        command = [sys.executable, "manage.py", "migrate", "--no-color"]
        running = [
            subprocess.Popen(
                command, cwd=ROOT, env=setting.env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
            for _ in range(3)
        ]
        told = [process.communicate(timeout=120)[0] for process in running]
    assert [process.returncode for process in running] == [0, 0, 0], told
    assert sum("Applying runs.0001_initial" in text for text in told) == 1
    assert sum("waiting for it" in text for text in told) >= 1
