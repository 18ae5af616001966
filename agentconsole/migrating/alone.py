"""One migration at a time, however many pods start with one."""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper

LOCK_NAME = "migrate.lock"
# An advisory lock is the database's own: it is gone with the session that held it, however that ended.
_KEY = "hashtext('agentconsole migrate')"


@contextmanager
def migrating_alone(connection: BaseDatabaseWrapper, on_wait: Callable[[], object]) -> Iterator[None]:
    """Nobody else migrates this database inside of this; `on_wait` is called if somebody does, before waiting for them."""
    lock = _in_postgres if connection.vendor == "postgresql" else _in_folder
    with lock(connection, on_wait):
        yield


@contextmanager
def _in_postgres(connection: BaseDatabaseWrapper, on_wait: Callable[[], object]) -> Iterator[None]:
    # A session of its own, so that nothing that the migrations do to theirs lets go of it.
    session = connection.Database.connect(**connection.get_connection_params(), autocommit=True)  # type: ignore[attr-defined]
    try:
        if not session.execute(f"SELECT pg_try_advisory_lock({_KEY})").fetchone()[0]:
            on_wait()
            session.execute("SET lock_timeout = 0")
            session.execute(f"SELECT pg_advisory_lock({_KEY})")
        yield
    finally:
        session.close()


@contextmanager
def _in_folder(connection: BaseDatabaseWrapper, on_wait: Callable[[], object]) -> Iterator[None]:
    settings.VAR_DIR.mkdir(parents=True, exist_ok=True)
    with (settings.VAR_DIR / LOCK_NAME).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_wait()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
