"""Processes that share a folder add up in it: counters of the dead stay, what they had open does not."""

import os
import subprocess
import sys
from pathlib import Path

from tests.metrics.scraping import values
from tests.processes.running import ROOT

SETTLED = (
    "import os, sys; os.environ['DJANGO_SETTINGS_MODULE'] = 'agentconsole.settings'; from agentconsole import metrics; "
)
COUNT = "metrics.observe_task('sweep', 'ok', 1.0); metrics.LIVE_SOCKETS.inc(2); "
SHOW = (
    "from prometheus_client import CollectorRegistry, generate_latest; from prometheus_client.multiprocess import *; "
    "r = CollectorRegistry(); MultiProcessCollector(r, metrics.FILES); sys.stdout.buffer.write(generate_latest(r))"
)
FORK = "pid = os.fork(); metrics.observe_task('sweep', 'ok', 1.0); os._exit(0) if not pid else os.waitpid(pid, 0)"


def python(folder: Path, code: str) -> str:
    """What a process of its own prints, with `folder` shared."""
    own = {"PROMETHEUS_MULTIPROC_DIR": str(folder / "metrics"), "CONSOLE_VAR": str(folder / "var")}
    command = [sys.executable, "-c", SETTLED + code]
    return subprocess.run(command, cwd=ROOT, env=os.environ | own, check=True, capture_output=True, text=True).stdout


def test_two_processes_add_up_and_what_the_dead_had_open_is_gone(tmp_path: Path) -> None:
    python(tmp_path, COUNT)
    python(tmp_path, COUNT)
    text = python(tmp_path, SHOW)
    assert values(text, "agentconsole_tasks_total") == {"ok sweep": 2}
    assert values(text, "agentconsole_task_duration_seconds_sum") == {"sweep": 2}
    assert values(text, "agentconsole_live_sockets") == {"": 4}
    # The five are those of a dead process whose id it was given.
    text = python(tmp_path, "metrics.LIVE_SOCKETS.inc(5); metrics.begin_process(); metrics.LIVE_SOCKETS.inc(); " + SHOW)
    assert values(text, "agentconsole_live_sockets") == {"": 1}
    assert values(text, "agentconsole_tasks_total") == {"ok sweep": 2}


def test_what_a_prefork_workers_child_counts_is_counted_once(tmp_path: Path) -> None:
    python(tmp_path, COUNT + FORK)
    # The one before the fork, the child's, the parent's.
    assert values(python(tmp_path, SHOW), "agentconsole_tasks_total") == {"ok sweep": 3}


def test_an_empty_variable_is_none(tmp_path: Path) -> None:
    own = {"PROMETHEUS_MULTIPROC_DIR": "", "CONSOLE_VAR": str(tmp_path)}
    command = [sys.executable, "-c", SETTLED + COUNT + "print(repr(metrics.FILES))"]
    env = os.environ | own | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=env, check=True, capture_output=True, text=True)
    assert (done.stdout.strip(), list(tmp_path.glob("*.db"))) == ("''", [])
