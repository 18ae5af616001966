"""A file of a backup's name is whole: what ends half-way leaves none, and nobody else can read it."""

import os
import shutil
import signal
import subprocess
import sys
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command

from agentconsole.backup.errors import BackupError
from agentconsole.backup.writing import Backup
from tests.backup.conftest import restore, tree
from tests.processes.running import ROOT

pytestmark = pytest.mark.sqlite
KILLED = """
import os, pathlib, sys, django
django.setup()
from agentconsole.backup.writing import Backup
database, target = map(pathlib.Path, sys.argv[1:])
Backup(database, target.parent, on_step=lambda: os.kill(os.getpid(), 9)).to_file(target)
"""


def test_what_is_stopped_half_way_leaves_nothing(database: Path, folder: Path, elsewhere: Path):
    def stop() -> None:
        raise SystemExit(143)

    with pytest.raises(SystemExit):
        Backup(database, folder, on_step=stop).to_file(elsewhere / "console.tar")
    assert tree(elsewhere) == {}


@pytest.mark.processes
def test_what_is_killed_half_way_leaves_no_file_of_its_name(database: Path, elsewhere: Path):
    target = elsewhere / "console.tar"
    killed = {**os.environ, "DJANGO_SETTINGS_MODULE": "agentconsole.settings", "CONSOLE_VAR": str(elsewhere)}
    done = subprocess.run([sys.executable, "-c", KILLED, str(database), str(target)], cwd=ROOT, env=killed, check=False)
    assert done.returncode == -signal.SIGKILL
    assert not target.exists()
    assert [path for path in elsewhere.iterdir() if path.suffix == ".tar"] == []


def test_only_its_owner_can_read_it(archive: Path):
    assert archive.stat().st_mode & 0o777 == 0o600


def test_a_file_that_is_there_is_replaced_only_when_told_so(backup: Backup, elsewhere: Path):
    target = elsewhere / "console.tar"
    target.write_text("precious")
    with pytest.raises(BackupError, match="--force"):
        backup.to_file(target)
    assert target.read_text() == "precious"
    backup.to_file(target, is_forced=True)
    assert restore(target, elsewhere).audit_entries == 3


def test_it_is_not_begun_on_a_full_disk(backup: Backup, elsewhere: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=1000))
    with pytest.raises(BackupError, match="0 MiB free"):
        backup.to_file(elsewhere / "console.tar")
    assert tree(elsewhere) == {}


def test_a_folder_that_is_not_there_is_named(backup: Backup, tmp_path: Path):
    with pytest.raises(BackupError, match=r"nowhere/console\.tar can't be written: No such file"):
        backup.to_file(tmp_path / "nowhere" / "console.tar")


def test_there_is_nothing_to_back_up_where_no_console_was(folder: Path, elsewhere: Path):
    with pytest.raises(BackupError, match="There is no database at"):
        Backup(folder / "console.sqlite3", folder).to_file(elsewhere / "console.tar")
    assert tree(elsewhere) == {}


def test_a_damaged_database_is_not_worth_a_backup(backup: Backup, elsewhere: Path):
    damaged = elsewhere / "damaged.sqlite3"
    whole = backup.database.read_bytes()
    damaged.write_bytes(whole[: 20 * 4096] + b"\xff" * 4096 * 10 + whole[30 * 4096 :])
    with pytest.raises(BackupError, match=r"damaged|can't be copied"):
        Backup(damaged, backup.folder).to_file(elsewhere / "console.tar")
    assert not (elsewhere / "console.tar").exists()


def test_the_command_names_a_new_file_and_says_that_it_holds_keys(database: Path, folder: Path):
    said = StringIO()
    call_command("backup", stderr=said)
    (written,) = (folder / "backups").iterdir()
    assert f"Wrote {written}: " in said.getvalue()
    assert "It holds this console's keys" in said.getvalue()
    with pytest.raises(CommandError, match="is there already"):
        call_command("backup", str(written), stderr=said)
