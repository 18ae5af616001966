"""A topic: who listens and where each stands; reads once and serialises once for all who stand together."""

import asyncio
import json
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from channels.db import database_sync_to_async

from agentconsole import metrics
from agentconsole.errors import ConsoleError, NotFoundError, error_body
from agentconsole.live.layer import Cursor
from agentconsole.live.socket import Socket
from agentconsole.live.source import Page, TopicReader
from agentconsole.logconf import get_logger

log = get_logger(__name__)

RETRY_AFTER_S = (0.5, 1.0, 2.0, 5.0)
_SENDS_IN_A_ROW = 50

# Threads of their own: a page's view that is stuck must not hold up what is live, nor the other way round.
_threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="live")


async def in_thread(function: Callable[..., Any], *args: Any) -> Any:
    """Call a function that reads the database, in a thread that gives its connection back. Waits for it even when cancelled."""
    call = database_sync_to_async(function, thread_sensitive=False, executor=_threads)
    working = asyncio.ensure_future(call(*args))
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        while not working.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([working])
        raise


class Topic:
    """Subscribers of one name, each with the cursor that it stands at.

    Nearly always they all stand at the head, so one read and one serialisation serve them all. One that comes with an
    older `after`, or was passed over for want of room, reads page by page up to the head, stops exactly there and has
    joined the others: no row is left out, and none of an ordered topic is sent twice.
    """

    def __init__(self, name: str, reader: TopicReader) -> None:
        self.name = name
        self.reader = reader
        self._standing: dict[Socket, Cursor] = {}
        self._live: set[Socket] = set()
        self._news = asyncio.Event()
        self._is_polled = False
        self._hinted_at: float | None = None
        self._failures = 0

    @property
    def kind(self) -> str:
        """What is in its name before the colon: one of the kinds that are registered."""
        return self.name.partition(":")[0]

    @property
    def is_empty(self) -> bool:
        """Whether nobody listens."""
        return not self._standing

    @property
    def head(self) -> Cursor | None:
        """The furthest that anybody stands."""
        return max(self._standing.values(), default=None)

    def add(self, socket: Socket, cursor: Cursor) -> None:
        """`socket` has everything up to `cursor` and wants what comes after."""
        self._standing[socket] = cursor
        self._live.discard(socket)
        self._news.set()

    def remove(self, socket: Socket) -> None:
        """`socket` no longer listens."""
        self._standing.pop(socket, None)
        self._live.discard(socket)

    def hint(self, seq: Cursor, committed_at: float | None = None) -> None:
        """A writer says that there is news up to `seq`, and when it was committed."""
        head = self.head
        if head is None or not self.reader.is_ordered or seq > head:  # type: ignore[operator]  # as for max
            self._is_polled = False
            # The oldest of those that wait to be served together.
            self._hinted_at = self._hinted_at or committed_at
            self._news.set()

    def look_again(self, *, after_poll: bool = False) -> None:
        """There may be news that no hint told of."""
        self._is_polled = after_poll and not self._news.is_set()
        self._news.set()

    def made_room(self, socket: Socket) -> None:
        """`socket`, which was without room, has acknowledged: it may stand behind."""
        if socket in self._standing:
            self._news.set()

    async def run(self) -> None:
        """Serve the subscribers until cancelled: at once, then what comes within the reader's spacing together."""
        while True:
            await self._news.wait()
            self._news.clear()
            polled, self._is_polled = self._is_polled, False
            hinted_at, self._hinted_at = self._hinted_at, None
            pause = self.reader.spacing_s
            try:
                await self._bring_up(polled=polled, hinted_at=hinted_at)
                self._failures = 0
            except NotFoundError as gone:
                await self._refuse_all(gone)
            except Exception as error:  # noqa: BLE001  whatever broke, the subscribers are told and it is tried again
                self._hinted_at = hinted_at or self._hinted_at
                pause = await self._failed(error)
            await asyncio.sleep(pause)

    async def _bring_up(self, *, polled: bool, hinted_at: float | None) -> None:
        """Bring every subscriber that has room to the topic's end, one page for each place that somebody stands at in turn."""
        behind = set(self._standing)
        while places := {self._standing[socket] for socket in behind & self._standing.keys() if socket.has_room}:
            for cursor in sorted(places):
                head = self.head
                page: Page = await in_thread(self.reader.read, cursor, head if cursor != head else None)
                group = [socket for socket, at in self._standing.items() if at == cursor and socket.has_room]
                if polled and page.text and not self._live.isdisjoint(group):
                    metrics.HINTS_HEALED.inc()
                    log.debug("LIVE_HINT_LOST", topic=self.name)
                await self._send(group, cursor, page)
                if cursor == head and page.text and hinted_at is not None:
                    metrics.observe_lag(self.kind, hinted_at)
                    hinted_at = None
                if cursor == head and not page.more:
                    behind.difference_update(group)
                    await self._say_live(group, page.cursor)

    async def _send(self, group: Collection[Socket], cursor: Cursor, page: Page) -> None:
        for number, socket in enumerate(group, 1):
            if self._standing.get(socket) != cursor:
                continue
            self._standing[socket] = page.cursor
            if page.text:
                await socket.send(page.text)
            if number % _SENDS_IN_A_ROW == 0:
                await asyncio.sleep(0)

    async def _say_live(self, group: Collection[Socket], cursor: Cursor | None) -> None:
        text = _dump({"topic": self.name, "live": cursor})
        for socket in group:
            if socket in self._standing and socket not in self._live:
                self._live.add(socket)
                await socket.send(text)

    async def _failed(self, error: Exception) -> float:
        """Nobody is live while the rows can't be read: say so, and how long to wait before the next try."""
        log.warning("LIVE_READ_FAILED", topic=self.name, error=type(error).__name__, exc_info=error)
        text = _dump({"topic": self.name, "live": None})
        told, self._live = self._live, set()
        for socket in told:
            await socket.send(text)
        self._news.set()
        self._failures += 1
        return RETRY_AFTER_S[min(self._failures, len(RETRY_AFTER_S)) - 1]

    async def _refuse_all(self, error: ConsoleError) -> None:
        text = refusal(self.name, error)
        for socket in list(self._standing):
            self.remove(socket)
            socket.topics.discard(self.name)
            await socket.send(text)


def refusal(name: str, error: ConsoleError) -> str:
    """The frame that refuses or ends a subscription."""
    return _dump({"topic": name, **error_body(error)})


def _dump(message: dict[str, Any]) -> str:
    return json.dumps(message, separators=(",", ":"))
