"""A backup brings the keys that its database depends on, or says what is missing."""

import io
import sqlite3
import tarfile
from contextlib import closing
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from agentconsole.backup.archive import read_manifest
from agentconsole.backup.writing import Backup
from tests.backup.conftest import restore

pytestmark = pytest.mark.sqlite


def test_it_holds_the_keys_and_the_restored_console_has_them(archive: Path, folder: Path, elsewhere: Path):
    assert set(read_manifest(archive).members) == {"console.sqlite3", "secret_key", "doctor_token"}
    # As the command finds it: its own start has made a key.
    (elsewhere / "secret_key").write_bytes((folder / "secret_key").read_bytes())
    assert restore(archive, elsewhere).changed_keys == []
    for name in ("secret_key", "doctor_token"):
        assert (elsewhere / name).read_bytes() == (folder / name).read_bytes()


def test_without_keys_it_is_the_database_alone(backup: Backup, tmp_path: Path, folder: Path, elsewhere: Path):
    said = StringIO()
    call_command("backup", str(tmp_path / "bare.tar"), "--without-keys", stderr=said)
    assert "It holds no keys" in said.getvalue()
    assert set(read_manifest(tmp_path / "bare.tar").members) == {"console.sqlite3"}
    assert (folder / "secret_key").read_bytes() not in (tmp_path / "bare.tar").read_bytes()
    restore(tmp_path / "bare.tar", elsewhere)
    assert not (elsewhere / "secret_key").exists()


def test_a_key_that_is_another_one_is_named(backup: Backup, tmp_path: Path, elsewhere: Path, settings: Any):
    Backup(backup.database, backup.folder, with_keys=False).to_file(tmp_path / "bare.tar")
    assert restore(tmp_path / "bare.tar", elsewhere).changed_keys == []
    settings.SECRET_KEY = "another one"
    assert restore(tmp_path / "bare.tar", elsewhere / "again").changed_keys == ["SECRET_KEY"]


def test_a_key_from_a_variable_is_not_in_it_and_the_command_says_so(backup: Backup, settings: Any, tmp_path: Path):
    settings.SECRET_KEY = "from a variable"
    said = StringIO()
    call_command("backup", str(tmp_path / "console.tar"), stderr=said)
    assert set(read_manifest(tmp_path / "console.tar").members) == {"console.sqlite3", "doctor_token"}
    assert "SECRET_KEY comes from a variable and is not in it" in said.getvalue()


def test_no_key_is_told_by_the_manifest(archive: Path, settings: Any):
    with tarfile.open(archive) as tar:
        told = tar.extractfile("manifest.json").read().decode()  # type: ignore[union-attr]
    assert settings.SECRET_KEY not in told
    assert settings.CREDENTIAL_KEY not in told


def test_a_pipe_gets_the_same_archive(backup: Backup, elsewhere: Path):
    pipe = io.BytesIO()
    written = backup.to_stream(pipe)
    assert len(pipe.getvalue()) == written.size
    (elsewhere / "console.tar").write_bytes(pipe.getvalue())
    restore(elsewhere / "console.tar", elsewhere)
    with closing(sqlite3.connect(elsewhere / "console.sqlite3")) as copy:
        assert copy.execute("SELECT count(*) FROM runs_run").fetchone() == (1,)


def test_the_restore_is_told_to_the_audit_chain(archive: Path, elsewhere: Path):
    head = read_manifest(archive).facts
    restore(archive, elsewhere)
    with closing(sqlite3.connect(elsewhere / "console.sqlite3")) as copy:
        told = copy.execute("SELECT seq, token, data FROM approvals_auditentry ORDER BY seq DESC LIMIT 1").fetchone()
    assert told == (4, "BACKUP_RESTORED", f'{{"head_hash":"{head.audit_hash}","head_seq":3}}')
