"""The archive: a plain tar with its manifest in front. Only what the manifest names is ever read out of it."""

import hashlib
import io
import os
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from agentconsole.backup.errors import ArchiveError
from agentconsole.backup.manifest import DATABASE, KEY_FILES, Manifest, Member, parse_manifest

MANIFEST = "manifest.json"
_MANIFEST_MAX = 1024 * 1024
_KEY_MAX = 4096
_CHUNK = 1024 * 1024


def member_of(file: Path) -> Member:
    """A file's size and digest, read in one pass of constant memory."""
    with file.open("rb") as opened:
        return Member(size=file.stat().st_size, sha256=hashlib.file_digest(opened, "sha256").hexdigest())


def write_archive(to: IO[bytes], manifest: Manifest, files: Mapping[str, Path], *, mtime: float) -> int:
    """Write manifest and files; `to` need not seek. The number of bytes."""
    with tarfile.open(fileobj=to, mode="w|", bufsize=_CHUNK) as tar:
        sent = manifest.to_bytes()
        tar.addfile(_entry(MANIFEST, len(sent), mtime), io.BytesIO(sent))
        for name, file in files.items():
            with file.open("rb") as opened:
                tar.addfile(_entry(name, manifest.members[name].size, mtime), opened)
    # Closing fills the last record.
    return -(-tar.offset // tarfile.RECORDSIZE) * tarfile.RECORDSIZE


def read_manifest(file: Path) -> Manifest:
    """The manifest alone. ArchiveError."""
    with _opened(file) as tar:
        return _manifest(tar)


def unpack(file: Path, into: Mapping[str, Path]) -> Manifest:
    """Write each member to its place of `into`, new and readable by its owner alone. ArchiveError: some are left half written.

    Nothing is extracted by the archive's word: names, kinds, sizes and digests must be those that the manifest expects.
    """
    with _opened(file) as tar:
        manifest = _manifest(tar)
        left = dict(manifest.members)
        for entry in tar:
            if entry.name == MANIFEST and entry.offset == 0:
                continue
            expected = left.pop(entry.name, None)
            if expected is None:
                raise ArchiveError(
                    f"The backup holds {entry.name!r}, which its manifest does not name. Don't trust it."
                )
            _copy_out(tar, _plain(entry, expected.size), into[entry.name], expected)
        if left:
            raise ArchiveError(f"The backup is cut short: {', '.join(sorted(left))} is missing.")
    return manifest


@contextmanager
def _opened(file: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(file, "r:") as tar:
            yield tar
    except ArchiveError:
        raise
    except (tarfile.TarError, EOFError, ValueError, IndexError) as error:
        raise ArchiveError(f"{file} is no backup of a console, or damaged: {error}.") from error


def _manifest(tar: tarfile.TarFile) -> Manifest:
    entry = tar.next()
    if entry is None or entry.name != MANIFEST:
        raise ArchiveError(f"The file is no backup of a console: {MANIFEST} does not come first.")
    manifest = parse_manifest(_content(tar, _plain(entry, entry.size, most=_MANIFEST_MAX)).read())
    if DATABASE not in manifest.members or set(manifest.members) - {DATABASE, *KEY_FILES}:
        raise ArchiveError("The backup's manifest names other files than a console has. Don't trust it.")
    if any(member.size > _KEY_MAX for name, member in manifest.members.items() if name in KEY_FILES):
        raise ArchiveError("The backup names a key larger than any key is. Don't trust it.")
    return manifest


def _plain(entry: tarfile.TarInfo, size: int, *, most: int | None = None) -> tarfile.TarInfo:
    """The entry, if it is an ordinary file of that size."""
    if entry.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or entry.issparse():
        raise ArchiveError(f"The backup holds {entry.name!r}, which is no plain file. Don't trust it.")
    if entry.size != size or (most is not None and size > most):
        raise ArchiveError(f"The backup is damaged: {entry.name!r} has another size than it should.")
    return entry


def _content(tar: tarfile.TarFile, entry: tarfile.TarInfo) -> IO[bytes]:
    content = tar.extractfile(entry)
    if content is None:
        raise ArchiveError(f"The backup holds {entry.name!r}, which is no plain file. Don't trust it.")
    return content


def _copy_out(tar: tarfile.TarFile, entry: tarfile.TarInfo, to: Path, expected: Member) -> None:
    digest = hashlib.sha256()
    content = _content(tar, entry)
    with open(to, "xb", opener=lambda path, flags: os.open(path, flags, 0o600)) as copy:
        while chunk := content.read(_CHUNK):
            digest.update(chunk)
            copy.write(chunk)
        copy.flush()
        os.fsync(copy.fileno())
    if digest.hexdigest() != expected.sha256:
        raise ArchiveError(f"The backup is damaged: {entry.name} does not have its digest. Take another backup.")


def _entry(name: str, size: int, mtime: float) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = size, 0o600, mtime
    return entry
