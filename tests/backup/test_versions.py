"""A backup of a newer console is refused before anything is touched; an older one is brought up to date."""

import dataclasses
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from agentconsole.backup.archive import MANIFEST, member_of, read_manifest, write_archive
from agentconsole.backup.errors import ArchiveError, BackupError, RestoreError
from agentconsole.backup.manifest import Facts
from agentconsole.backup.snapshot import copy_database, facts_of
from agentconsole.backup.staging import default_database_at
from agentconsole.backup.writing import Backup
from tests.backup.conftest import restore, tree
from tests.backup.test_tampered import entries, named, replaced, rewrite

pytestmark = pytest.mark.sqlite


def test_a_newer_format_is_refused_by_its_number(archive: Path, elsewhere: Path):
    found = entries(archive)
    body = json.dumps({**json.loads(found[0][1]), "format": 2, "members": "of another shape"}).encode()
    entry, _empty = named(MANIFEST, size=len(body))
    rewrite(archive, replaced(found, MANIFEST, (entry, body)))
    with pytest.raises(ArchiveError, match="format 2, this console reads 1"):
        restore(archive, elsewhere)
    assert tree(elsewhere) == {}


def packed(archive: Path, copy: Path, **facts: Any) -> None:
    """Write an archive of another database, or that says something else."""
    was = read_manifest(archive)
    told: Facts = dataclasses.replace(was.facts, **facts)
    manifest = dataclasses.replace(was, facts=told, members={"console.sqlite3": member_of(copy)})
    with archive.open("wb") as out:
        write_archive(out, manifest, {"console.sqlite3": copy}, mtime=0)


def test_a_manifest_that_names_a_migration_from_the_future_is_refused(archive: Path, database: Path, elsewhere: Path):
    migrations = {**read_manifest(archive).facts.migrations, "runs": "9999_later"}
    packed(archive, database, migrations=migrations)
    with pytest.raises(RestoreError, match=r"newer than this console: it has runs\.9999_later"):
        restore(archive, elsewhere)
    assert tree(elsewhere) == {}


def test_so_is_a_database_that_knows_one_its_manifest_does_not(
    archive: Path, database: Path, tmp_path: Path, elsewhere: Path
):
    copy_database(database, tmp_path / "copy")
    with closing(sqlite3.connect(tmp_path / "copy")) as copy, copy:
        copy.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('later', '0001_initial', '2027-01-01')"
        )
    packed(archive, tmp_path / "copy")
    with pytest.raises(RestoreError, match=r"it has later\.0001_initial"):
        restore(archive, elsewhere)
    assert tree(elsewhere) == {}


def test_a_damaged_database_with_the_right_digest_is_refused(
    archive: Path, database: Path, tmp_path: Path, elsewhere: Path
):
    copy_database(database, tmp_path / "copy")
    whole = (tmp_path / "copy").read_bytes()
    (tmp_path / "copy").write_bytes(whole[: 20 * 4096] + b"\xff" * 4096 * 10 + whole[30 * 4096 :])
    packed(archive, tmp_path / "copy")
    with pytest.raises(RestoreError, match="database is damaged"):
        restore(archive, elsewhere)
    assert tree(elsewhere) == {}


BROKEN = {
    "UPDATE approvals_auditentry SET actor = 'person:eve' WHERE seq = 2": r"entry 2 \(POLICY_SAVED\) was changed",
    "DELETE FROM approvals_auditentry; DELETE FROM approvals_audithead": "entry 1 is missing: a head was pinned at 3",
}


@pytest.mark.parametrize("statement", BROKEN)
def test_a_broken_chain_is_refused(statement: str, archive: Path, database: Path, tmp_path: Path, elsewhere: Path):
    copy_database(database, tmp_path / "copy")
    with closing(sqlite3.connect(tmp_path / "copy")) as copy, copy:
        copy.executescript(statement)
    packed(archive, tmp_path / "copy")
    with pytest.raises(RestoreError, match=BROKEN[statement]):
        restore(archive, elsewhere)
    assert tree(elsewhere) == {}


def test_an_older_one_is_migrated(database: Path, folder: Path, tmp_path: Path, elsewhere: Path):
    older = tmp_path / "older.sqlite3"
    copy_database(database, older)
    with default_database_at(older):
        call_command("migrate", "approvals", "0001", verbosity=0)
    written = Backup(older, folder).to_file(tmp_path / "older.tar")
    assert written.manifest.facts.migrations["approvals"] == "0001_initial"
    assert restore(tmp_path / "older.tar", elsewhere).audit_entries == 3
    with default_database_at(elsewhere / "console.sqlite3"):
        call_command("migrate", check_unapplied=True, verbosity=0)


def test_one_that_waits_for_its_migrations_may_lack_tables(database: Path):
    with closing(sqlite3.connect(database)) as old, old:
        old.executescript("DROP TABLE approvals_vote; DROP TABLE approvals_audithead")
    facts = facts_of(database)
    assert facts.audit_seq == 0
    assert "approvals_vote" not in facts.rows
    assert facts.rows["runs_run"] == 1


def test_a_database_of_something_else_is_no_console(database: Path):
    with closing(sqlite3.connect(database)) as old, old:
        old.execute("DROP TABLE django_migrations")
    with pytest.raises(BackupError, match="There is no console in the database"):
        facts_of(database)
