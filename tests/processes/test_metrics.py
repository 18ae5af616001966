"""`manage.py console`: the web process shows what its worker counts, and each start begins anew."""

import os
import signal

import pytest

from tests.metrics.scraping import values
from tests.processes.running import RunningConsole, wait_for

pytestmark = pytest.mark.processes
TASKS = "agentconsole_tasks_total"
BEAT = "ok agentconsole.health.tasks.beat"


def beats(console: RunningConsole) -> float:
    return values(console.get("/metrics").raise_for_status().text, TASKS).get(BEAT, 0)


def test_a_console_shows_what_its_worker_does_also_after_another_took_its_place(console: RunningConsole):
    stale = console.var / "metrics" / "counter_1.db"
    stale.parent.mkdir(parents=True)
    stale.write_bytes(b"of an earlier start")
    console.start()
    assert not stale.exists()
    wait_for("the worker's beat is counted", lambda: beats(console))
    before = beats(console)
    os.kill(console.child("worker"), signal.SIGKILL)
    wait_for("another worker's beat is added to that", lambda: beats(console) > before, within_s=60)
    assert values(console.get("/metrics").text, "agentconsole_collect_failed") == {"": 0}
