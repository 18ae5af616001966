"""Who works on the console's folder: its processes share it, a restore has it to itself.

An advisory lock (flock) on a file in it. The kernel drops it with the process that held it, however that ended, so there is
no stale lock to clean up, as a file with a process id would be; and it holds between requests, when nobody has the database open.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from agentconsole.errors import ConsoleError

LOCK_NAME = "in_use.lock"


class FolderInUseError(ConsoleError):
    """The console's folder is in use by a console, or by a restore."""

    code = "folder_in_use"
    http_status = 409
    title = "The console's folder is in use"


def share_folder(folder: Path) -> int:
    """This process works on `folder` until it ends. FolderInUseError while a restore has it to itself.

    The descriptor that holds it is never closed, the kernel does that; a process that is to go on as another program hands it on.
    """
    lock = _locked(folder, fcntl.LOCK_SH)
    if lock is None:
        raise FolderInUseError(f"A restore into {folder} is under way. Start the console when it has ended.")
    return lock


def hold_own_folder() -> int | None:
    """`share_folder` for a process of this console. None, and nothing is held, where the database is a server: no restore comes
    there, and the folder need not be writable."""
    if settings.DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
        return share_folder(settings.VAR_DIR)
    return None


@contextmanager
def folder_alone(folder: Path) -> Iterator[None]:
    """Nobody else works on `folder` inside of this. FolderInUseError while a console runs on it."""
    lock = _locked(folder, fcntl.LOCK_EX)
    if lock is None:
        raise FolderInUseError(f"A console runs on {folder}, or another restore. Stop it first.")
    try:
        yield
    finally:
        os.close(lock)


def _locked(folder: Path, kind: int) -> int | None:
    """The descriptor that holds the lock, which programs that this process starts don't inherit; None if it can't be had."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock
