"""Writing a backup: copy, prove, pack, and only then give it its name."""

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

from django.utils import timezone

from agentconsole.backup.archive import member_of, write_archive
from agentconsole.backup.errors import BackupError
from agentconsole.backup.keys import is_kept, key_checks, key_files
from agentconsole.backup.manifest import DATABASE, Manifest
from agentconsole.backup.snapshot import copy_database, facts_of
from agentconsole.logconf import get_logger
from agentconsole.sdk.version import __version__

log = get_logger(__name__)

_SPARE_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Written:
    """What was written. `lacks_secret_key`: SECRET_KEY comes from a variable, so it is not in the archive."""

    manifest: Manifest
    size: int
    duration_s: float
    lacks_secret_key: bool


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup to be taken of `database` and, `with_keys`, of the keys in `folder`."""

    database: Path
    folder: Path
    with_keys: bool = True
    on_step: Callable[[], object] = lambda: None

    def to_file(self, target: Path, *, is_forced: bool = False) -> Written:
        """Write `target`, whole or not at all, readable by its owner alone. BackupError."""
        self._refuse_existing(target, is_forced=is_forced)
        try:
            with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as draft_folder:
                draft = Path(draft_folder) / "archive"
                draft.touch(mode=0o600)
                with draft.open("wb") as archive:
                    written = self._pack(archive, Path(draft_folder), copies=2)
                    archive.flush()
                    os.fsync(archive.fileno())
                self._refuse_existing(target, is_forced=is_forced)
                draft.replace(target)
            sync_folder(target.parent)
        except OSError as error:
            raise BackupError(f"{target} can't be written: {error.strerror}.") from error
        _log(written, str(target))
        return written

    def to_stream(self, stream: IO[bytes]) -> Written:
        """Write the archive to a pipe. Whoever reads it must look at the exit code: a pipe knows no half. BackupError."""
        try:
            with tempfile.TemporaryDirectory(prefix=".backup.", dir=self.folder) as draft_folder:
                written = self._pack(stream, Path(draft_folder), copies=1)
                stream.flush()
        except OSError as error:
            raise BackupError(f"The backup can't be written: {error.strerror}.") from error
        _log(written, "-")
        return written

    def _refuse_existing(self, target: Path, *, is_forced: bool) -> None:
        if target.is_dir():
            raise BackupError(f"{target} is a folder. Name a file in it.")
        if target.exists() and not is_forced:
            raise BackupError(f"{target} is there already. Choose another name, or --force to replace it.")

    def _pack(self, archive: IO[bytes], draft_folder: Path, *, copies: int) -> Written:
        started, created_at = time.monotonic(), timezone.now()
        _refuse_full(draft_folder, _size_on_disk(self.database) * copies + _SPARE_BYTES)
        copy = draft_folder / DATABASE
        copy_database(self.database, copy, on_step=self.on_step)
        keys = key_files(self.folder) if self.with_keys else {}
        files = {DATABASE: copy, **keys}
        manifest = Manifest(
            console_version=__version__,
            created_at=created_at.isoformat(timespec="seconds"),
            facts=facts_of(copy),
            key_checks=key_checks(),
            members={name: member_of(file) for name, file in files.items()},
        )
        size = write_archive(archive, manifest, files, mtime=created_at.timestamp())
        return Written(manifest, size, time.monotonic() - started, not is_kept(self.folder))


def default_target(folder: Path, now: datetime) -> Path:
    """`backups/console-<time>.tar` in the console's folder: private, and out of the checkout's sight."""
    backups = folder / "backups"
    backups.mkdir(mode=0o700, parents=True, exist_ok=True)
    return backups / f"console-{now:%Y%m%dT%H%M%SZ}.tar"


def sync_folder(folder: Path) -> None:
    """What was renamed in `folder` stays so after a power cut."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _size_on_disk(database: Path) -> int:
    return sum(file.stat().st_size for file in (database, Path(f"{database}-wal")) if file.exists())


def _refuse_full(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise BackupError(
            f"The backup needs {needed // 2**20} MiB while it is written, {folder.parent} has {free // 2**20} MiB free."
            " Name a file on a larger disk, or pipe it away with `backup -`."
        )


def _log(written: Written, name: str) -> None:
    log.info(
        "BACKUP_WRITTEN",
        file=name,
        size_bytes=written.size,
        duration_ms=round(written.duration_s * 1000),
        has_keys=written.manifest.has_keys,
        audit_seq=written.manifest.facts.audit_seq,
    )
