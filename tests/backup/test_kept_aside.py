"""What a restore replaces is moved aside whole, and one that fails half-way leaves everything as it was."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.utils import timezone

from agentconsole.backup.errors import RestoreError
from tests.backup.conftest import restore, tree

pytestmark = pytest.mark.sqlite


@pytest.fixture
def taken(elsewhere: Path) -> Path:
    """A folder in which a console has been, with another key."""
    with closing(sqlite3.connect(elsewhere / "console.sqlite3")) as old, old:
        old.execute("CREATE TABLE precious (text)")
    (elsewhere / "secret_key").write_text("another one")
    return elsewhere


def test_a_database_that_is_there_stops_it(archive: Path, taken: Path):
    before = tree(taken)
    with pytest.raises(RestoreError, match="--force moves it aside"):
        restore(archive, taken)
    assert tree(taken) == before


def test_with_force_it_is_moved_aside_with_the_keys_that_differ(archive: Path, taken: Path, folder: Path):
    (taken / "doctor_token").write_text("ac_doctor")
    restored = restore(archive, taken, is_forced=True)
    assert [path.name.partition(".before-restore-")[0] for path in restored.aside] == ["secret_key", "console.sqlite3"]
    assert restored.aside[0].read_text() == "another one"
    with closing(sqlite3.connect(restored.aside[1])) as old:
        assert old.execute("SELECT name FROM sqlite_schema").fetchall() == [("precious",)]
    assert (taken / "secret_key").read_bytes() == (folder / "secret_key").read_bytes()
    assert (taken / "secret_key").stat().st_mode & 0o777 == 0o600


def test_a_log_left_by_another_database_does_not_get_into_the_new_one(archive: Path, elsewhere: Path):
    (elsewhere / "console.sqlite3-wal").write_bytes(b"of another database")
    (kept,) = restore(archive, elsewhere).aside
    assert kept.name.endswith("Z-wal")
    assert not (elsewhere / "console.sqlite3-wal").exists()


def test_a_database_that_cannot_be_read_any_more_is_no_obstacle(archive: Path, elsewhere: Path):
    (elsewhere / "console.sqlite3").write_bytes(b"\xff" * 8192)
    (kept,) = restore(archive, elsewhere, is_forced=True).aside
    assert kept.read_bytes() == b"\xff" * 8192


@pytest.mark.parametrize("works", range(5))
def test_a_move_that_fails_undoes_those_before_it(
    works: int, archive: Path, taken: Path, monkeypatch: pytest.MonkeyPatch
):
    before, real = tree(taken), Path.rename
    moves: list[Path] = []

    def rename(old: Path, new: Path) -> Path:
        moves.append(old)
        if len(moves) == works + 1:
            raise OSError(5, "Input/output error", str(old))
        return real(old, new)

    monkeypatch.setattr(Path, "rename", rename)
    with pytest.raises(RestoreError, match="Input/output error"):
        restore(archive, taken, is_forced=True)
    assert tree(taken) == before
    assert len(moves) == 2 * works + 1


def test_what_was_moved_aside_before_is_not_replaced(archive: Path, taken: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 11, 25, tzinfo=UTC))
    restore(archive, taken, is_forced=True)
    before = tree(taken)
    with pytest.raises(RestoreError, match="before-restore-20261125T000000Z: File exists"):
        restore(archive, taken, is_forced=True)
    assert tree(taken) == before
