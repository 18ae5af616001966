"""What to run instead, where the database is PostgreSQL: its own tools, with the deployment's own names. Pure."""

import shlex
from collections.abc import Mapping
from typing import Any

_REST = (
    "SECRET_KEY (and CREDENTIAL_KEY, where it is set) is not in the database: keep it as well, it opens what is sealed there.\n"
    "The password comes from ~/.pgpass or PGPASSWORD. docs/operations.md, Backup and restore, has the rest."
)


def dump_advice(database: Mapping[str, Any]) -> str:
    """How to back up the database of Django's settings; its password is not told."""
    command = f"pg_dump -Fc --no-owner --no-privileges {_place(database)} -f console.dump"
    return f"The database is PostgreSQL. While the console runs:\n\n  {command}\n\n{_REST}"


def restore_advice(database: Mapping[str, Any]) -> str:
    """How to restore that backup into the database of Django's settings, which must be empty."""
    options = "--no-owner --no-privileges --exit-on-error --single-transaction"
    steps = [
        f"pg_restore {options} {_place(database)} console.dump",
        "manage.py migrate",
        "manage.py verify_audit",
    ]
    lines = "".join(f"  {step}\n" for step in steps)
    return f"The database is PostgreSQL. With every process of the console stopped, into an empty database:\n\n{lines}\n{_REST}"


def _place(database: Mapping[str, Any]) -> str:
    named = {"-h": database["HOST"], "-p": database["PORT"], "-U": database["USER"], "-d": database["NAME"]}
    return " ".join(f"{option} {shlex.quote(str(value))}" for option, value in named.items() if value)
