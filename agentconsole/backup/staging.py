"""Proving a copy before it is put in place: whole, known, migrated, its audit chain unbroken."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader

from agentconsole.backup.errors import RestoreError
from agentconsole.backup.manifest import Manifest
from agentconsole.backup.snapshot import problems_of
from approvals.queries.audit import Pin, verify_chain
from approvals.services import audit


def refuse_newer(applied: Iterable[tuple[str, str]], version: str) -> None:
    """RestoreError if a migration (app, name) was applied that this version of the console doesn't have."""
    on_disk = MigrationLoader(None).disk_migrations
    known = {*on_disk, *(replaced for migration in on_disk.values() for replaced in migration.replaces)}
    unknown = sorted(".".join(migration) for migration in set(applied) - known)
    if unknown:
        raise RestoreError(
            f"The backup is newer than this console: it has {', '.join(unknown)} (written by version {version})."
            " Update the console, then restore."
        )


def prove_copy(copy: Path, version: str) -> None:
    """RestoreError if the unpacked database is damaged, or newer than this console."""
    with closing(sqlite3.connect(copy)) as database:
        problems = problems_of(database, "integrity_check")
        if problems:
            raise RestoreError(f"The backup's database is damaged: {problems}. Restore another backup.")
        refuse_newer(database.execute("SELECT app, name FROM django_migrations").fetchall(), version)


def bring_up_to_date(copy: Path, manifest: Manifest) -> int:
    """Migrate the copy, walk its audit chain up to the head that the manifest names, and tell the chain of the restore.

    The number of entries that were proven. RestoreError if the chain is broken, or is another one.
    """
    head = Pin(manifest.facts.audit_seq, manifest.facts.audit_hash)
    with default_database_at(copy):
        call_command("migrate", interactive=False, verbosity=0)
        report = verify_chain(pinned=head)
        if report.broken:
            raise RestoreError(f"The backup's audit chain is broken: {report.broken}. Restore another backup.")
        with transaction.atomic():
            # What was appended after the backup is gone: whoever reads the chain must see where.
            audit.append(
                "BACKUP_RESTORED",
                actor="console",
                object_id=f"backup:{manifest.created_at}",
                data={"head_seq": head.seq, "head_hash": head.hash},
            )
    with closing(sqlite3.connect(copy)) as database:
        database.execute("PRAGMA journal_mode=DELETE")
    return report.entries


@contextmanager
def default_database_at(file: Path) -> Iterator[None]:
    """Django works on `file`: migrations and the chain's walk know the default database alone."""
    connection.close()
    kept = connection.settings_dict["NAME"]
    connection.settings_dict["NAME"] = file
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = kept
