"""How a process talks to PostgreSQL: how long it waits, for what, and under which name it is seen there. Pure."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

# A request waits so long for a connection of its process's pool, and is then told to come back.
POOL_WAIT_S = 5
_SECOND = 1000
_MINUTE = 60 * _SECOND
# For statements, by what the process does: nobody waits longer for a page; a sweep may take its time; a command has no limit.
_STATEMENT_MS = {"web": 30 * _SECOND, "otlp_grpc": 30 * _SECOND, "worker": 5 * _MINUTE, "beat": 10 * _SECOND}
# A row is locked for one short transaction. DDL that waits for a table makes everybody behind it wait as well.
LOCK_MS = 10 * _SECOND
IDLE_IN_TRANSACTION_MS = _MINUTE


def role_of(argv: Sequence[str]) -> str:
    """What a process is, by its command line: `web`, `worker`, `beat`, the management command, or else the program."""
    program = Path(argv[0])
    if "celery" in (program.name, program.parent.name):
        return next((word for word in argv[1:] if word in ("worker", "beat")), "celery")
    if program.name == "manage.py" and len(argv) > 1:
        return "web" if argv[1] == "serve" else argv[1]
    return program.stem


def connection_options(given: Mapping[str, Any], *, role: str, pool_max: int) -> dict[str, Any]:
    """Django's OPTIONS for a database whose URL says `given`, which is stronger.

    `pool_max=0` does without a pool, for a PgBouncer beside the process.
    """
    limits = {
        "statement_timeout": _STATEMENT_MS.get(role, 0),
        "lock_timeout": LOCK_MS,
        "idle_in_transaction_session_timeout": IDLE_IN_TRANSACTION_MS,
    }
    defaults: dict[str, Any] = {
        "application_name": f"agentconsole {role}",
        "connect_timeout": 5,
        # A host that is gone without a word is noticed within half a minute, not after the kernel's two hours.
        "keepalives_idle": 15,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 30 * _SECOND,
        "options": " ".join(f"-c {name}={value}" for name, value in limits.items()),
    }
    pool = {
        "min_size": 1,
        "max_size": pool_max,
        "timeout": POOL_WAIT_S,
        "max_lifetime": 30 * 60,
        "max_idle": 5 * 60,
        # The pool's tries grow twice as rare each time, and nobody else may try meanwhile: it gives up early, and the next
        # request begins anew. With its own 5 minutes, a database that was away for two was found again after two more.
        "reconnect_timeout": POOL_WAIT_S,
    }
    return {**defaults, **given, **({"pool": pool} if pool_max else {})}
