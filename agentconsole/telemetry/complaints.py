"""What the two libraries complain about, told rarely: a collector that is away for a day is one line in five minutes."""

import logging
import time

from agentconsole.logconf import get_logger
from agentconsole.telemetry.cleaning import clean

log = get_logger(__name__)

EVERY_S = 300
_LONGEST = 200
_told_at: dict[str, float] = {}


def complain(what: str, reason: str) -> None:
    """`what` (traces, errors) could not be sent; said once in EVERY_S."""
    now = time.monotonic()
    if now - _told_at.get(what, -EVERY_S) < EVERY_S:
        return
    _told_at[what] = now
    log.warning("TELEMETRY_NOT_SENT", what=what, reason=clean(reason)[:_LONGEST], silent_for_s=EVERY_S)


class Complaints(logging.Handler):
    """Takes a library's own log lines, which come with every attempt, in place of the console's log."""

    def __init__(self, what: str) -> None:
        super().__init__(logging.WARNING)
        self.what = what

    def emit(self, record: logging.LogRecord) -> None:
        """One line of the library."""
        complain(self.what, record.getMessage())
