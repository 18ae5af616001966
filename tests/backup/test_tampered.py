"""An archive that is not exactly what was written is refused, and nothing of it is left anywhere."""

import io
import random
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from agentconsole.backup.errors import ArchiveError
from agentconsole.errors import ConsoleError
from tests.backup.conftest import restore, tree

pytestmark = pytest.mark.sqlite
Entries = list[tuple[tarfile.TarInfo, bytes]]


def entries(archive: Path) -> Entries:
    with tarfile.open(archive) as tar:
        return [(entry, tar.extractfile(entry).read()) for entry in tar]  # type: ignore[union-attr]


def rewrite(archive: Path, changed: Entries) -> None:
    with tarfile.open(archive, "w") as tar:
        for entry, content in changed:
            tar.addfile(entry, io.BytesIO(content))


def named(name: str, kind: bytes = tarfile.REGTYPE, **fields: object) -> tuple[tarfile.TarInfo, bytes]:
    entry = tarfile.TarInfo(name)
    entry.type = kind
    for field, value in fields.items():
        setattr(entry, field, value)
    return entry, b""


def replaced(found: Entries, name: str, new: tuple[tarfile.TarInfo, bytes]) -> Entries:
    return [new if entry.name == name else (entry, content) for entry, content in found]


TAMPERED: dict[str, tuple[Callable[[Entries], Entries], str]] = {
    "a name that leads out of the folder": (
        lambda found: [*found, named("../x")],
        "'../x', which its manifest does not name",
    ),
    "an absolute name": (lambda found: [*found, named("/tmp/x")], "'/tmp/x', which its manifest does not name"),
    "a symlink in a key's place": (
        lambda found: replaced(found, "secret_key", named("secret_key", tarfile.SYMTYPE, linkname="/etc/passwd")),
        "'secret_key', which is no plain file",
    ),
    "a hard link in the database's place": (
        lambda found: replaced(
            found, "console.sqlite3", named("console.sqlite3", tarfile.LNKTYPE, linkname="/etc/passwd")
        ),
        "'console.sqlite3', which is no plain file",
    ),
    "a device": (lambda found: replaced(found, "secret_key", named("secret_key", tarfile.CHRTYPE)), "no plain file"),
    "a member twice": (lambda found: [*found, found[-1]], "which its manifest does not name"),
    "the manifest twice": (lambda found: [*found, found[0]], "'manifest.json', which its manifest does not name"),
    "a member missing": (lambda found: found[:-1], "cut short: doctor_token is missing"),
    "another size": (lambda found: replaced(found, "secret_key", named("secret_key")), "another size than it should"),
    "the manifest not first": (lambda found: found[1:] + found[:1], "manifest.json does not come first"),
    "nothing at all": (lambda found: found[:0], "manifest.json does not come first"),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_what_does_not_belong_is_refused(name: str, archive: Path, elsewhere: Path):
    tamper, told = TAMPERED[name]
    rewrite(archive, tamper(entries(archive)))
    with pytest.raises(ArchiveError) as refused:
        restore(archive, elsewhere)
    assert told in refused.value.message
    assert tree(elsewhere) == {}


def test_one_flipped_byte_is_found_wherever_it_is(archive: Path, elsewhere: Path):
    whole = archive.read_bytes()
    used = [(entry.offset_data, entry.size) for entry, _content in entries(archive)]
    choose = random.Random(7)
    for start, size in used * 6:
        place = start + choose.randrange(size)
        archive.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << choose.randrange(8)]) + whole[place + 1 :])
        with pytest.raises(ConsoleError):
            restore(archive, elsewhere)
    assert tree(elsewhere) == {}


@pytest.mark.parametrize("share", [0, 0.0001, 0.3, 0.9])
def test_a_file_that_is_cut_short_is_refused(archive: Path, elsewhere: Path, share: float):
    whole = archive.read_bytes()
    archive.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(ArchiveError):
        restore(archive, elsewhere)
    assert tree(elsewhere) == {}


def test_random_bytes_in_the_headers_are_refused_politely(archive: Path, elsewhere: Path):
    whole = archive.read_bytes()
    choose = random.Random(11)
    for number in range(40):
        start = choose.choice([entry.offset for entry, _content in entries_of(whole)])
        mangled = bytearray(whole)
        for _ in range(1 + number % 8):
            mangled[start + choose.randrange(512)] = choose.randrange(256)
        archive.write_bytes(mangled)
        try:
            restore(archive, elsewhere / str(number))
        except ArchiveError:
            assert tree(elsewhere / str(number)) == {}


def entries_of(whole: bytes) -> Entries:
    with tarfile.open(fileobj=io.BytesIO(whole)) as tar:
        return [(entry, b"") for entry in tar]


def test_a_file_of_another_kind_is_refused(archive: Path, elsewhere: Path, database: Path):
    with pytest.raises(ArchiveError, match="is no backup of a console"):
        restore(database, elsewhere)
    with pytest.raises(ConsoleError, match="No such file"):
        restore(archive.with_name("none.tar"), elsewhere)
