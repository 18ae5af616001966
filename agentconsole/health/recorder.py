"""Keeps the history of health from a web process: looks at the board every second, writes every ten."""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import NoReturn

from django.db import connections
from django.utils import timezone

from agentconsole.faults import fault_words
from agentconsole.health.board import Board, board
from agentconsole.health.minutes import Minute, Tally, sample_of
from agentconsole.health.services import hand_over, write_minutes
from agentconsole.health.startup import startup
from agentconsole.lifecycle import is_draining
from agentconsole.logconf import get_logger

log = get_logger(__name__)

LOOK_EVERY_S = 1.0
WRITE_EVERY_LOOKS = 10
# What is not proven yet so soon after a start is no fault. What is not proven later is one.
STARTS_WITHIN_S = 60


class Recorder:
    """Counts what the board says, and writes it unless another web process does.

    The history is that of the process that writes: the proofs that come from the database are the same in all of them.
    """

    def __init__(
        self, watched: Board = board, *, name: str = "", started: Callable[[], Awaitable[object]] = startup.done
    ) -> None:
        self.board = watched
        self._started = started
        self.name = name or f"{socket.gethostname()}:{os.getpid()}"[:200]
        self._tally = Tally()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="health history")
        self._writing: asyncio.Task[None] | None = None
        self._has_failed = False

    def start(self) -> None:
        """Begin, in the running event loop."""
        self._task = asyncio.get_running_loop().create_task(self._keep_recording())

    async def _keep_recording(self) -> NoReturn:
        looks = 0
        with suppress(TimeoutError):
            await asyncio.wait_for(self._started(), STARTS_WITHIN_S)
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            self.look()
            looks += 1
            if looks % WRITE_EVERY_LOOKS == 0 and (self._writing is None or self._writing.done()):
                self._writing = asyncio.create_task(self.write())

    async def end(self) -> None:
        """Write what is counted so far, and leave the rest to another process. Nothing is counted any more."""
        self._task.cancel()
        if self._writing is not None:
            await asyncio.wait({self._writing})
        await self.write()
        if not self._has_failed:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._hand_over)

    def look(self) -> None:
        """Count one look at the board. A process that stops is not the console that stops."""
        if not is_draining():
            now = timezone.now()
            self._tally.add(sample_of(self.board.report(now), now))

    async def write(self) -> None:
        """Write what is counted, or leave it to the process that does. What can't be written waits for the next time."""
        minutes = self._tally.take()
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._store, minutes)
        except Exception as error:  # noqa: BLE001  the database is away: that is what the next minutes will tell
            for minute in minutes:
                self._tally.add(minute)
            if not self._has_failed:
                log.warning("HEALTH_HISTORY_NOT_WRITTEN", error=fault_words(error))
            self._has_failed = True
        else:
            self._has_failed = False

    def _store(self, minutes: list[Minute]) -> None:
        try:
            write_minutes(minutes, writer=self.name)
        finally:
            connections.close_all()

    def _hand_over(self) -> None:
        try:
            hand_over(self.name)
        finally:
            connections.close_all()
