"""What a backup says of itself: its first member, `manifest.json`. Pure."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from agentconsole.backup.errors import ArchiveError

FORMAT = 1
DATABASE = "console.sqlite3"
# What the database's contents depend on, or that would have to be made anew without it.
KEY_FILES = ("secret_key", "doctor_token")


@dataclass(frozen=True, slots=True)
class Member:
    """One file of the archive."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What is in a copy of the database: the newest migration of each app, rows of the main tables, the audit chain's head."""

    migrations: Mapping[str, str]
    rows: Mapping[str, int]
    audit_seq: int
    audit_hash: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """The whole account. `created_at` is RFC 3339, `key_checks` tell whether a key is the same without telling the key."""

    console_version: str
    created_at: str
    facts: Facts
    key_checks: Mapping[str, str]
    members: Mapping[str, Member]
    format: int = FORMAT

    @property
    def has_keys(self) -> bool:
        """Whether the archive holds any key."""
        return any(name in self.members for name in KEY_FILES)

    def to_bytes(self) -> bytes:
        """JSON for people and programs, with its own digest: finds damage, not malice."""
        body = asdict(self)
        return json.dumps({**body, "sha256": _digest(body)}, indent=1).encode()


def parse_manifest(sent: bytes) -> Manifest:
    """A manifest from its bytes. ArchiveError if it is none, damaged, or of a format that this console doesn't know."""
    try:
        body = json.loads(sent)
        if body["format"] != FORMAT:
            raise ArchiveError(
                f"The backup has format {body['format']}, this console reads {FORMAT}. Restore it with the console that wrote it"
                " or a newer one."
            )
        if body.pop("sha256") != _digest(body):
            raise ArchiveError("The backup's manifest is damaged: it does not have its digest. Take another backup.")
        return Manifest(
            console_version=str(body["console_version"]),
            created_at=str(body["created_at"]),
            facts=Facts(**body["facts"]),
            key_checks=dict(body["key_checks"]),
            members={name: Member(**member) for name, member in body["members"].items()},
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ArchiveError("The file is no backup of a console: its manifest can't be read.") from error


def _digest(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
