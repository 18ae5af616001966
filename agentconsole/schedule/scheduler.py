"""Beat's scheduler: Celery's own, for the one beat that leads."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast

from celery.beat import ScheduleEntry, Scheduler
from django.db import Error as DatabaseError
from django.db import close_old_connections
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError

from agentconsole.faults import fault_words
from agentconsole.logconf import get_logger
from agentconsole.protocol.context import RequestContext, Transport, bound_context
from agentconsole.schedule.lead import LEASE_S, Lead
from agentconsole.schedule.services import claim_sending, give_back_sending, last_sent

log = get_logger(__name__)
Answer = TypeVar("Answer")

RENEW_EVERY_S = 3.0
LOOK_EVERY_S = 1.0
# Clocks are set by less than that all the time.
CLOCK_JUMP_S = 2.0


class ConsoleScheduler(Scheduler):
    """Sends while it leads; each task that it sends is a request of its own.

    An entry that is rarer than the lease is claimed by its own row, which also carries its last time over to the next leader:
    it is sent once a period whoever leads. More frequent ones are kept apart by the lease itself: their first time is a period
    after a takeover.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._lead = Lead()
        # None: not looked yet.
        self._leads: bool | None = None
        self._look_at = self._send_at = 0.0
        self._is_asking = False
        self._troubles: set[str] = set()
        self._clocks = time.monotonic(), time.time()
        super().__init__(*args, **kwargs)

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """One round: see who leads, and if it is this beat, send what is due."""
        self._follow_clock()
        if time.monotonic() >= self._look_at or not self._lead.is_held():
            self._look()
        if not self._lead.is_held() or time.monotonic() < self._send_at:
            return LOOK_EVERY_S
        try:
            wait_s: float = super().tick(*args, **kwargs)
        except BrokerError as error:
            self._failed_to_send(error)
            return LOOK_EVERY_S
        return wait_s

    def apply_entry(self, entry: ScheduleEntry, producer: Any = None) -> None:
        """Send a due entry, unless this beat leads no more (it may have been stopped for a while just now) or another one sent it."""
        if not self._lead.is_held() or not self._claims(entry):
            return
        try:
            self.apply_async(entry, producer=producer, advance=False)
        except Exception as error:  # noqa: BLE001  the edge to another service: any failure of it means the same
            self._give_back(entry)
            self._failed_to_send(error.__cause__ or error)
        else:
            self._tell("broker", None)

    def apply_async(self, entry: ScheduleEntry, *args: Any, **kwargs: Any) -> Any:
        """Send a due task inside a context minted for it."""
        with bound_context(RequestContext.mint(Transport.SCHEDULE, actor="beat")):
            return super().apply_async(entry, *args, **kwargs)

    def close(self) -> None:
        """The next beat leads at once. A signal may call this in the middle of a query; Celery calls it once more after that."""
        if not self._is_asking:
            try:
                self._ask(self._lead.leave)
            except DatabaseError as error:
                self._tell("database", error)
        super().close()

    def _look(self) -> None:
        was, self._leads = self._leads, False
        try:
            self._leads = self._ask(self._lead.look)
            if self._leads and not was:
                self._begin()
            self._tell("database", None)
        except DatabaseError as error:
            self._leads = bool(was) and self._lead.is_held()
            self._tell("database", error)
        if not self._leads and was is not False:
            log.info("BEAT_STANDS_BY", leader=self._lead.leader)
        self._look_at = time.monotonic() + (RENEW_EVERY_S if self._leads else LOOK_EVERY_S)

    def _begin(self) -> None:
        """Lead from now on, where the one before left off."""
        sent = self._ask(last_sent, {name: _every_s(entry) for name, entry in self.schedule.items() if _is_rare(entry)})
        for name, entry in self.schedule.items():
            entry.last_run_at = sent.get(name) or timezone.now()
        self._heap = None
        log.info("BEAT_LEADS", leader=self._lead.name)

    def _claims(self, entry: ScheduleEntry) -> bool:
        if not _is_rare(entry):
            return True
        try:
            return self._ask(claim_sending, entry.name, _every_s(entry))
        except DatabaseError as error:
            self._tell("database", error)
            return False

    def _give_back(self, entry: ScheduleEntry) -> None:
        """It is due as before."""
        self.schedule[cast(str, entry.name)] = entry
        self._heap = None
        if _is_rare(entry):
            try:
                self._ask(give_back_sending, entry.name, _every_s(entry))
            except DatabaseError as error:
                self._tell("database", error)

    def _ask(self, query: Callable[..., Answer], *args: Any) -> Answer:
        """What the database answers; the connection is nobody's afterwards."""
        self._is_asking = True
        close_old_connections()
        try:
            return query(*args)
        finally:
            close_old_connections()
            self._is_asking = False

    def _ensure_connected(self) -> Any:
        """Once: waiting here for a broker that is away, as Celery does, this beat could not renew its lead."""
        return self.connection.ensure_connection(max_retries=1, interval_start=0)

    def _failed_to_send(self, error: BaseException) -> None:
        self._heap = None
        self._send_at = time.monotonic() + LOOK_EVERY_S
        self._tell("broker", error)

    def _tell(self, what: str, error: BaseException | None) -> None:
        """Say once that something fails."""
        if error is None:
            self._troubles.discard(what)
        elif what not in self._troubles:
            self._troubles.add(what)
            log.warning("BEAT_HELD_UP", by=what, error=fault_words(error))

    def _follow_clock(self) -> None:
        """Celery reckons with the wall clock: set back by an hour, it would send nothing for an hour."""
        before, self._clocks = self._clocks, (time.monotonic(), time.time())
        jump_s = (self._clocks[1] - before[1]) - (self._clocks[0] - before[0])
        if abs(jump_s) > CLOCK_JUMP_S:
            log.warning("CLOCK_JUMPED", seconds=round(jump_s, 1))
            for entry in self.schedule.values():
                entry.last_run_at = cast(datetime, entry.last_run_at) + timedelta(seconds=jump_s)
            self._heap = None


def _every_s(entry: ScheduleEntry) -> float:
    every: timedelta = cast(Any, entry.schedule).run_every
    return every.total_seconds()


def _is_rare(entry: ScheduleEntry) -> bool:
    return _every_s(entry) > LEASE_S
