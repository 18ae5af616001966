"""The writers' side: a hint after each commit, so small that losing it costs nothing but the poll's second."""

import asyncio
import time
from functools import partial

from asgiref.sync import async_to_sync
from django.db import transaction

from agentconsole import metrics
from agentconsole.faults import fault_words
from agentconsole.live.layer import Hints, leaves_process, send_hints
from agentconsole.logconf import get_logger

log = get_logger(__name__)


def publish_on_commit(hints: Hints) -> None:
    """Once the open transaction is committed, tell every hub up to which cursor each topic has news. Never raises later on."""
    transaction.on_commit(partial(publish, hints), robust=True)


def publish(hints: Hints) -> None:
    """Tell every hub up to which cursor each topic has news: at once, from any thread, without waiting in a web process."""
    committed_at = time.time()
    try:
        if _server is not None and _server.is_up():
            _server.put_soon(hints, committed_at)
        elif leaves_process():
            async_to_sync(send_hints)(hints, committed_at)
    except Exception as error:  # noqa: BLE001  the caller has committed: nothing may undo that
        metrics.HINTS_LOST.inc(len(hints))
        log.warning("LIVE_LAYER_FAILED", error=type(error).__name__, detail=fault_words(error))


class Outbox:
    """Hints on their way out of a web process: the newest of each topic, one message at a time.

    `async_to_sync` from a request's thread would deliver 250-400 ms late on the in-memory layer (its loop isn't woken) and make an
    ingest wait for Redis; so hints are handed to the server's own loop, where those of a burst become one message.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._waiting: Hints = {}
        self._since: float | None = None
        self._sending: asyncio.Task[None] | None = None

    def is_up(self) -> bool:
        """Whether its loop can still send."""
        return self.loop.is_running()

    def put_soon(self, hints: Hints, committed_at: float) -> None:
        """Hand over hints from any thread."""
        self.loop.call_soon_threadsafe(self._put, hints, committed_at)

    def _put(self, hints: Hints, committed_at: float) -> None:
        self._waiting.update(hints)
        self._since = committed_at if self._since is None else min(self._since, committed_at)
        if self._sending is None or self._sending.done():
            self._sending = self.loop.create_task(self._send())

    async def _send(self) -> None:
        while self._waiting:
            hints, self._waiting = self._waiting, {}
            since, self._since = self._since, None
            await send_hints(hints, since)


_server: Outbox | None = None


def adopt_running_loop() -> None:
    """This process serves the web on the running loop: hints of its threads go out there."""
    global _server  # noqa: PLW0603  one server loop per process is what Daphne gives
    loop = asyncio.get_running_loop()
    if _server is None or _server.loop is not loop:
        _server = Outbox(loop)
