"""What a console that nobody uses costs, within the budget that docs/operations.md promises. `tests/bench/idle.py` measures longer."""

import os
import subprocess
import sys
import time

import pytest

from tests.bench.idle import CORE_PERCENT, MEMORY_MB
from tests.bench.resources import names_of, taken_by
from tests.processes.running import ROOT, RunningConsole, wait_for

pytestmark = [pytest.mark.processes, pytest.mark.sqlite]
MEASURED_S = 10
# A machine that runs other tests besides has slower caches; a loop that spins takes fifty times this.
ALLOWED_PERCENT = 2 * CORE_PERCENT
SUPERVISOR_MB = 50


def test_a_console_at_rest_keeps_to_its_budget(up: RunningConsole):
    wait_for("the console is ready", up.is_ready, within_s=60)
    wait_for("web, worker and its schedule", lambda: len(up.descendants()) == 3)
    assert up.process is not None
    pids = [up.process.pid, *up.descendants()]
    before = taken_by(pids)
    time.sleep(MEASURED_S)  # what is measured is what passes meanwhile
    after = taken_by(pids)
    assert (after.cpu_s - before.cpu_s) / MEASURED_S * 100 < ALLOWED_PERCENT
    assert after.pss_mb < MEMORY_MB
    assert names_of(pids)[up.process.pid] == "supervisor"
    assert taken_by([up.process.pid]).rss_mb < SUPERVISOR_MB


@pytest.mark.parametrize("module", ["daphne", "psycopg", "confusable_homoglyphs"])
def test_a_worker_of_the_embedded_console_does_not_load(module: str):
    asked = "import sys; from agentconsole.celery import app; app.loader.import_default_modules(); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, env=os.environ, capture_output=True, check=True)
    assert module not in loaded.stdout.decode().split()
