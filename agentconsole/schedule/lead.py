"""One beat's place among several: it leads while it renews its row, and takes the place of one that does not."""

import os
import secrets
import socket
import time
from datetime import timedelta

from django.utils import timezone

from agentconsole.schedule.services import NOBODY, Seen, keep_lead, lead_as_seen, leave_lead, take_lead

# A leader whose row has not changed for so long, by the clock of who looks at it, is taken for dead.
LEASE_S = 15.0
# A leader trusts its last renewal for less than that: what it begins to send then is sent before anybody else leads.
TRUSTED_S = 10.0
# Only for a beat that has just started and never looked before: a row that old is from before a power cut.
ABANDONED = timedelta(seconds=60)


class Lead:
    """No two processes' clocks are compared: who stands by measures how long the row stays the same."""

    def __init__(self) -> None:
        self.name = f"{socket.gethostname()}:{os.getpid()} leads ({secrets.token_hex(3)})"[-200:]
        self.leader = ""
        self._renewed: tuple[float, float] | None = None
        self._watched: tuple[Seen, float] | None = None

    def is_held(self) -> bool:
        """Whether this beat may send. Asks two clocks, and no database: one of them goes on while a machine sleeps."""
        if self._renewed is None:
            return False
        steady, wall = self._renewed
        return time.monotonic() - steady < TRUSTED_S and abs(time.time() - wall) < TRUSTED_S

    def look(self) -> bool:
        """Renew the lead, or see whether it can be had; whether this beat leads. Raises what the database raises."""
        now = time.monotonic(), time.time()
        if self._renewed and keep_lead(self.name):
            self._renewed = now
            return True
        self._renewed = None
        seen = lead_as_seen()
        if self._is_free(seen, now[0]) and take_lead(self.name, seen):
            self._renewed, self._watched, self.leader = now, None, self.name
            return True
        self.leader = seen.leader if seen else ""
        return False

    def leave(self) -> None:
        """Let go of what is held, at an orderly end."""
        if self._renewed:
            self._renewed = None
            leave_lead(self.name)

    def _is_free(self, seen: Seen | None, now: float) -> bool:
        if seen is None or seen.leader == NOBODY:
            return True
        if self._watched is None and timezone.now() - seen.at > ABANDONED:
            return True
        if self._watched is None or self._watched[0] != seen:
            self._watched = seen, now
        return now - self._watched[1] >= LEASE_S
