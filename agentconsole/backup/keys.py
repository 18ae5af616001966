"""The keys that a database depends on: which are kept in files, and whether those in force are those of a backup."""

from collections.abc import Mapping
from pathlib import Path

from django.conf import settings

from agentconsole.backup.manifest import KEY_FILES
from agentconsole.keys import derived_key

SECRET_KEY_FILE = "secret_key"  # noqa: S105  a name, not a secret


def key_files(folder: Path) -> dict[str, Path]:
    """The keys in `folder` that this console uses: a `secret_key` that a variable overrules is not one."""
    found = {name: folder / name for name in KEY_FILES if (folder / name).is_file()}
    if not is_kept(folder):
        found.pop(SECRET_KEY_FILE, None)
    return found


def is_kept(folder: Path) -> bool:
    """Whether SECRET_KEY comes from its file in `folder`, not from a variable."""
    return _text(folder / SECRET_KEY_FILE) == settings.SECRET_KEY


def key_checks() -> dict[str, str]:
    """What tells a key from another one: a value derived from each for nothing else."""
    return _checks(settings.SECRET_KEY, settings.CREDENTIAL_KEY)


def changed_keys(checks: Mapping[str, str], *, folder: Path, restored: Path) -> list[str]:
    """The variables whose key is not the one behind `checks`, once the file `restored` (if there is one) is in place."""
    secret, credential = settings.SECRET_KEY, settings.CREDENTIAL_KEY
    is_derived = credential == derived_key(secret, "instance credentials")
    if restored.exists() and is_kept(folder):
        secret = _text(restored)
        credential = derived_key(secret, "instance credentials") if is_derived else credential
    in_force = _checks(secret, credential)
    return [name for name, check in in_force.items() if checks.get(name) != check]


def _checks(secret: str, credential: str) -> dict[str, str]:
    return {
        "SECRET_KEY": derived_key(secret, "backup: the same key?"),
        "CREDENTIAL_KEY": derived_key(credential, "backup: the same key?"),
    }


def _text(file: Path) -> str:
    return file.read_text(encoding="ascii").strip() if file.is_file() else ""
