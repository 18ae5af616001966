"""Nothing is restored under a running console."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from agentconsole.backup.errors import RestoreError
from agentconsole.folder import FolderInUseError, folder_alone
from tests.backup.conftest import restore, tree
from tests.processes.running import ROOT, wait_for

pytestmark = pytest.mark.sqlite


@pytest.mark.processes
@pytest.mark.parametrize(
    ("command", "is_up"),
    [
        (["manage.py", "serve", "--port", "0"], "SERVER_STARTED"),
        (["-m", "celery", "-A", "agentconsole", "worker", "--pool", "solo"], " ready."),
    ],
    ids=["serve", "worker"],
)
def test_not_while_a_process_of_the_console_runs(
    command: list[str], is_up: str, archive: Path, elsewhere: Path, tmp_path: Path
):
    restore(archive, elsewhere)
    before = (elsewhere / "console.sqlite3").stat().st_ino
    own = {"CONSOLE_VAR": str(elsewhere), "DATABASE_URL": "", "REDIS_URL": "", "LOG_LEVEL": "INFO"}
    with (tmp_path / "said").open("wb") as said:
        process = subprocess.Popen([sys.executable, *command], cwd=ROOT, env=os.environ | own, stdout=said, stderr=said)
    try:
        wait_for("it is up", lambda: is_up in (tmp_path / "said").read_text(), within_s=60)
        with pytest.raises(FolderInUseError, match="A console runs on"):
            restore(archive, elsewhere, is_forced=True)
    finally:
        process.kill()
        process.wait()
    assert (elsewhere / "console.sqlite3").stat().st_ino == before
    # Killed, it holds nothing any more.
    restore(archive, elsewhere, is_forced=True)


def test_not_while_somebody_has_the_database_open(archive: Path, elsewhere: Path):
    restore(archive, elsewhere)
    with closing(sqlite3.connect(elsewhere / "console.sqlite3")) as shell:
        shell.execute("PRAGMA journal_mode=WAL")
        shell.execute("SELECT count(*) FROM runs_run").fetchone()
        before = tree(elsewhere)
        with pytest.raises(RestoreError, match="close every shell"):
            restore(archive, elsewhere, is_forced=True)
        assert tree(elsewhere) == before
    restore(archive, elsewhere, is_forced=True)


def test_two_restores_exclude_each_other(archive: Path, elsewhere: Path):
    with folder_alone(elsewhere), pytest.raises(FolderInUseError, match="or another restore"):
        restore(archive, elsewhere)
    assert tree(elsewhere) == {}
