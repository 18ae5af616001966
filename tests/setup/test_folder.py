"""The console's folder is shared by its processes, or had by a restore alone: never both."""

from pathlib import Path
from typing import Any

import pytest

from agentconsole.folder import LOCK_NAME, FolderInUseError, folder_alone, hold_own_folder, share_folder


def test_its_processes_share_it_and_a_restore_stays_out(tmp_path: Path):
    share_folder(tmp_path)
    share_folder(tmp_path)
    with pytest.raises(FolderInUseError, match="A console runs on"), folder_alone(tmp_path):
        pass


def test_no_process_of_the_console_starts_under_a_restore(tmp_path: Path):
    with folder_alone(tmp_path), pytest.raises(FolderInUseError, match="A restore into"):
        share_folder(tmp_path)
    share_folder(tmp_path)


def test_two_restores_exclude_each_other(tmp_path: Path):
    with folder_alone(tmp_path), pytest.raises(FolderInUseError, match="another restore"), folder_alone(tmp_path):
        pass


def test_the_lock_is_nobody_elses_to_read(tmp_path: Path):
    share_folder(tmp_path)
    assert (tmp_path / LOCK_NAME).stat().st_mode & 0o777 == 0o600


def test_nothing_is_held_where_the_database_is_a_server(tmp_path: Path, settings: Any, monkeypatch: Any):
    settings.VAR_DIR = tmp_path / "not made"
    monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", "django.db.backends.postgresql")
    hold_own_folder()
    assert not settings.VAR_DIR.exists()
