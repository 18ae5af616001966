"""A console with something in it, and its backup. Where a backup goes back to is always another folder than the tests' own."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction

from agentconsole.backup.restoring import Restored, restore_backup
from agentconsole.backup.staging import default_database_at
from agentconsole.backup.writing import Backup
from approvals.services import audit
from runs.services.bootstrap import make_groups_and_environments
from tests.cast import AgentCaller, make_agent
from tests.ingest.items import new_run, whole_run


@dataclass(frozen=True)
class Made:
    """A console's database, closed, and an agent that it knows."""

    file: Path
    caller: AgentCaller


@pytest.fixture(scope="session")
def made(django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """An agent has reported a run, and the audit chain has three entries. Made once: each test gets a copy."""
    file = tmp_path_factory.mktemp("made") / "console.sqlite3"
    with django_db_blocker.unblock(), default_database_at(file):
        call_command("migrate", verbosity=0)
        make_groups_and_environments()
        caller = make_agent("dev", "triage")
        assert caller.send(*whole_run(new_run())).status_code == 200
        for number in range(3):
            with transaction.atomic():
                audit.append("POLICY_SAVED", actor="person:ada", object_id=f"policy:{number}", data={})
    return Made(file, caller)


@pytest.fixture
def caller(made: Made) -> AgentCaller:
    """The agent that the console knows."""
    return made.caller


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    """The console's folder, with its keys."""
    settings.VAR_DIR = tmp_path / "var"
    settings.VAR_DIR.mkdir()
    (settings.VAR_DIR / "secret_key").write_text(settings.SECRET_KEY)
    (settings.VAR_DIR / "doctor_token").write_text("ac_doctor")
    return settings.VAR_DIR


@pytest.fixture
def database(made: Made, folder: Path, django_db_blocker: Any) -> Iterator[Path]:
    """The console's database, in its folder. Django works on it, not on the database of the other tests."""
    file = folder / "console.sqlite3"
    shutil.copy(made.file, file)
    with django_db_blocker.unblock(), default_database_at(file):
        yield file


@pytest.fixture
def backup(database: Path, folder: Path) -> Backup:
    """A backup that is about to be taken."""
    return Backup(database, folder)


@pytest.fixture
def archive(backup: Backup, tmp_path: Path) -> Path:
    """A backup that was taken."""
    backup.to_file(tmp_path / "console.tar")
    return tmp_path / "console.tar"


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """Another console's folder, where nothing is yet."""
    made = tmp_path / "elsewhere"
    made.mkdir()
    return made


def restore(archive: Path, folder: Path, **options: Any) -> Restored:
    """Restore into a folder."""
    return restore_backup(archive, database=folder / "console.sqlite3", folder=folder, **options)


def tree(folder: Path) -> dict[str, bytes]:
    """Everything in a folder but the lock, which says nothing."""
    files = (path for path in sorted(folder.rglob("*")) if path.name != "in_use.lock")
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else b"" for path in files}
