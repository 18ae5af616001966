"""What became of a batch, and the one way in which any door's batch is committed."""

import threading
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

from django.db import OperationalError, connection, transaction

from runs.ingest.errors import BusyError, ItemError

_TRIES = 10
_sqlite_turn = threading.Lock()


@dataclass(slots=True)
class Applied:
    """What became of a batch. `tools` counts the tool calls that it ended, by (tool, outcome)."""

    accepted: int = 0
    duplicates: int = 0
    refused: list[tuple[int, ItemError]] = field(default_factory=list)
    tools: Counter[tuple[str, str]] = field(default_factory=Counter)


class RunTakenError(Exception):
    """Another transaction made a run that this one was about to make."""


def in_turn() -> AbstractContextManager[object]:
    """On SQLite the threads of a process take a whole batch each in turn.

    There is one writer at a time anyway, and SQLite's own waiting sleeps up to 100 ms at a go, where a lock wakes the next
    thread at once. Preparing one batch while another is written gains nothing either: SQLite gives the interpreter away
    for each row and must win it back, and two threads stored a tenth less than one.
    """
    return _sqlite_turn if connection.vendor == "sqlite" else nullcontext()


def committed(write: Callable[[], Applied]) -> Applied:
    """What `write` did in a transaction of its own. Committed when it returns. BusyError: nothing is stored, send it again.

    New runs are not locked but made at the end, so two batches can make the same run at once. The loser keeps nothing
    and is tried again when the winner's run is there to be locked: each try finds at least one run more.
    """
    for _ in range(_TRIES):
        try:
            with transaction.atomic():
                return write()
        except RunTakenError:
            continue
        except OperationalError as error:
            if "deadlock" not in str(error) and "locked" not in str(error):
                raise
    raise BusyError("Other batches are writing the same runs. Send this one again.", headers={"Retry-After": "1"})
