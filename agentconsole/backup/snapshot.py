"""A consistent copy of an SQLite database that is being written to, and what is in it."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from django.contrib.auth.models import User
from django.db.models import Model

from agentconsole.backup.errors import BackupError
from agentconsole.backup.manifest import Facts
from approvals.models import Action, AuditEntry, AuditHead, Vote
from approvals.queries.audit import Pin
from runs.models import AgentInstance, Environment, PhaseTick, Run, Span, TraceEvent

# 4 MB: some milliseconds, after which a signal is heard.
PAGES_PER_STEP = 1024
MAIN_TABLES: tuple[type[Model], ...] = (
    User, Environment, AgentInstance, Run, PhaseTick, Span, TraceEvent, Action, Vote, AuditEntry,
)  # fmt: skip


def copy_database(source: Path, target: Path, *, on_step: Callable[[], object] = lambda: None) -> None:
    """Copy `source` as it is at this moment into the new file `target`, which needs no `-wal`. BackupError.

    SQLite's own copying starts over whenever another connection commits, so under load it would never end. Inside a read
    transaction it copies one state: in WAL mode that holds up no writer; only the WAL can't be emptied until the copy is done.
    """
    with _opened(source) as live, closing(sqlite3.connect(target, isolation_level=None)) as copy:
        # The target is a draft: what must survive a power cut is the archive, and that is synced.
        copy.execute("PRAGMA synchronous=OFF")
        live.execute("PRAGMA journal_mode=WAL")
        live.execute("BEGIN")
        live.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        live.backup(copy, pages=PAGES_PER_STEP, progress=lambda *_progress: on_step())
        live.execute("COMMIT")
        copy.execute("PRAGMA journal_mode=DELETE")
        problems = problems_of(copy, "quick_check")
        if problems:
            raise BackupError(
                f"The database {source} is damaged: {problems}. Restore the last good backup; this state is not worth one."
            )


def facts_of(file: Path) -> Facts:
    """What is in the database that nobody writes to. One that waits for its migrations may lack tables. BackupError."""
    with _opened(file) as copy:
        tables = {name for (name,) in copy.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
        if "django_migrations" not in tables:
            raise BackupError(
                "There is no console in the database: no migration was ever applied. Start the console once."
            )
        counts = {
            table: copy.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608  our own names
            for table in (model._meta.db_table for model in MAIN_TABLES)
            if table in tables
        }
        latest = dict(copy.execute("SELECT app, max(name) FROM django_migrations GROUP BY app ORDER BY app"))
        seq, entry_hash = _head(copy, AuditHead._meta.db_table, tables)
    return Facts(migrations=latest, rows=counts, audit_seq=seq, audit_hash=entry_hash)


def _head(copy: sqlite3.Connection, table: str, tables: set[str]) -> tuple[int, str]:
    found = table in tables and copy.execute(f"SELECT seq, hash FROM {table} WHERE id = 1").fetchone()  # noqa: S608
    return found or (Pin().seq, Pin().hash)


def problems_of(database: sqlite3.Connection, check: str) -> str:
    """What `integrity_check` or `quick_check` finds first; empty if the database is whole."""
    try:
        (found,) = database.execute(f"PRAGMA {check}(1)").fetchone()
    except sqlite3.DatabaseError as error:
        return str(error)
    return "" if found == "ok" else str(found)


@contextmanager
def _opened(file: Path) -> Iterator[sqlite3.Connection]:
    if not file.exists():
        raise BackupError(f"There is no database at {file}. Start the console once, or set CONSOLE_VAR to its folder.")
    try:
        with closing(
            sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None, timeout=20)
        ) as opened:
            yield opened
    except sqlite3.Error as error:
        raise BackupError(f"The database {file} can't be copied: {error}.") from error
