"""Restoring a backup: unpack beside, prove, migrate, and only then put it in place."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.utils import timezone

from agentconsole.backup.archive import read_manifest, unpack
from agentconsole.backup.errors import RestoreError
from agentconsole.backup.keys import SECRET_KEY_FILE, changed_keys
from agentconsole.backup.manifest import DATABASE, KEY_FILES, Manifest
from agentconsole.backup.placing import put_in_place, refuse_open
from agentconsole.backup.staging import bring_up_to_date, prove_copy, refuse_newer
from agentconsole.folder import folder_alone
from agentconsole.logconf import get_logger

log = get_logger(__name__)

_SPARE_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored: the proven length of the audit chain, what was moved aside, which keys are not the backup's."""

    manifest: Manifest
    audit_entries: int
    aside: list[Path]
    changed_keys: list[str]
    duration_s: float


def restore_backup(file: Path, *, database: Path, folder: Path, is_forced: bool = False) -> Restored:
    """Restore the archive `file` to `database`, and its keys into `folder`, while no console runs on them.

    ArchiveError, RestoreError, FolderInUseError: nothing was changed.
    """
    started = time.monotonic()
    try:
        manifest = read_manifest(file)
        refuse_newer(manifest.facts.migrations.items(), manifest.console_version)
        with folder_alone(folder), _staging(manifest, database, folder) as staged:
            _refuse_taken(database, is_forced=is_forced)
            unpack(file, staged)
            prove_copy(staged[DATABASE], manifest.console_version)
            entries = bring_up_to_date(staged[DATABASE], manifest)
            changed = changed_keys(manifest.key_checks, folder=folder, restored=staged[SECRET_KEY_FILE])
            aside = _place(staged, database, folder)
    except OSError as error:
        raise RestoreError(f"{error.filename or file}: {error.strerror}. Nothing was restored.") from error
    restored = Restored(manifest, entries, aside, changed, time.monotonic() - started)
    _log(restored, file)
    return restored


@contextmanager
def _staging(manifest: Manifest, database: Path, folder: Path) -> Iterator[dict[str, Path]]:
    """Where each file is unpacked to: a private folder on the same disk as its place, so that a rename puts it there."""
    database.parent.mkdir(parents=True, exist_ok=True)
    needed = manifest.members[DATABASE].size + _SPARE_BYTES
    free = shutil.disk_usage(database.parent).free
    if free < needed:
        raise RestoreError(
            f"The database needs {needed // 2**20} MiB, {database.parent} has {free // 2**20} MiB free. Make room first."
        )
    with (
        tempfile.TemporaryDirectory(prefix=".restore.", dir=database.parent) as beside,
        tempfile.TemporaryDirectory(prefix=".restore.", dir=folder) as keys,
    ):
        yield {DATABASE: Path(beside) / DATABASE, **{name: Path(keys) / name for name in KEY_FILES}}


def _refuse_taken(database: Path, *, is_forced: bool) -> None:
    if not database.exists():
        return
    if not is_forced:
        raise RestoreError(f"There is a database at {database}. --force moves it aside and restores.")
    refuse_open(database)


def _place(staged: dict[str, Path], database: Path, folder: Path) -> list[Path]:
    places = {DATABASE: database, **{name: folder / name for name in KEY_FILES}}
    unpacked = {source: places[name] for name, source in staged.items() if source.exists()}
    moving = {source: place for source, place in unpacked.items() if not _is_same_key(source, place)}
    suffix = f".before-restore-{timezone.now():%Y%m%dT%H%M%SZ}"
    return put_in_place(moving, database=database, suffix=suffix)


def _is_same_key(source: Path, place: Path) -> bool:
    return source.name in KEY_FILES and place.exists() and source.read_bytes() == place.read_bytes()


def _log(restored: Restored, file: Path) -> None:
    log.info(
        "BACKUP_RESTORED",
        file=str(file),
        created_at=restored.manifest.created_at,
        audit_seq=restored.manifest.facts.audit_seq,
        moved_aside=[str(path) for path in restored.aside],
        changed_keys=restored.changed_keys,
        duration_ms=round(restored.duration_s * 1000),
    )
