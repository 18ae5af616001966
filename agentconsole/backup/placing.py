"""Putting restored files in place: what was there is moved aside, never deleted, and a failure half-way is undone."""

import errno
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from pathlib import Path

from agentconsole.backup.errors import RestoreError
from agentconsole.backup.writing import sync_folder

# A `-wal` that is left behind would be read as the new database's own.
SQLITE_SUFFIXES = ("-wal", "-shm", "-journal", "")


def refuse_open(database: Path) -> None:
    """RestoreError while any process has the database open: a shell, `sqlite3`, or a console that holds no lock.

    In WAL mode an open connection keeps a lock for as long as it lives, so the exclusive lock is got by the only one alone. A
    database that can't be read any more is no obstacle: it may be why somebody restores.
    """
    try:
        with closing(sqlite3.connect(database, isolation_level=None, timeout=0)) as opened:
            opened.execute("PRAGMA locking_mode=EXCLUSIVE")
            opened.execute("BEGIN EXCLUSIVE")
            opened.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise RestoreError(
                f"Something has {database} open. Stop the console and close every shell on it."
            ) from error
    except sqlite3.DatabaseError:
        return


def put_in_place(staged: Mapping[Path, Path], *, database: Path, suffix: str) -> list[Path]:
    """Move each staged file to its destination, the database last; what was moved aside, under its name and `suffix`.

    OSError: everything is where it was.
    """
    aside: list[Path] = []
    with ExitStack() as undo:
        for source, destination in sorted(staged.items(), key=lambda pair: pair[1] == database):
            for old, kept in _in_the_way(destination, suffix, is_database=destination == database):
                _move(old, kept, undo)
                aside.append(kept)
            _move(source, destination, undo)
        undo.pop_all()
    for folder in {destination.parent for destination in staged.values()}:
        sync_folder(folder)
    return aside


def _in_the_way(destination: Path, suffix: str, *, is_database: bool) -> Iterator[tuple[Path, Path]]:
    for tail in SQLITE_SUFFIXES if is_database else ("",):
        old = Path(f"{destination}{tail}")
        if old.exists():
            yield old, Path(f"{destination}{suffix}{tail}")


def _move(old: Path, new: Path, undo: ExitStack) -> None:
    if new.exists():
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(new))
    # Before the move: a signal between the two must not leave it done and forgotten.
    undo.callback(_move_back, new, old)
    old.rename(new)


def _move_back(new: Path, old: Path) -> None:
    if new.exists() and not old.exists():
        new.rename(old)
