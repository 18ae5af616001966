"""The hub: everything live in one web process. Hints wake topics, a poll makes up for lost hints, slow sockets are dropped."""

import asyncio
from collections.abc import Coroutine
from contextvars import Context
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connections
from django.utils import timezone

from agentconsole import metrics
from agentconsole.live.hints import adopt_running_loop
from agentconsole.live.layer import Cursor, Ear, Hints
from agentconsole.live.probe import ChangeProbe
from agentconsole.live.socket import Socket
from agentconsole.live.source import TopicReader, reader_of
from agentconsole.live.topic import Topic, in_thread
from agentconsole.logconf import get_logger

log = get_logger(__name__)

POLL_EVERY_S = 1.0
# A hub that is kept reads this often also while nobody listens: that is what its health is proven by.
READ_EVERY_PASSES = 5
CANCEL_AGAIN_S = 0.1
TOO_SLOW = 4408


@dataclass(frozen=True, slots=True)
class Pass:
    """A round of a hub's loop that came to its end, all reading included."""

    at: datetime
    sockets: int
    topics: int


class Hub:
    """One per event loop, alive while it has sockets, or until its end where it is kept."""

    def __init__(self) -> None:
        self._topics: dict[str, Topic] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._sockets: set[Socket] = set()
        self._ear = Ear(self._hear, self._look_again)
        self._probe = ChangeProbe()
        self._poll_failed = False
        self._passes = 0
        self.is_kept = False
        self.last_pass: Pass | None = None
        self._spawn("ear", self._ear.listen())
        self._spawn("poll", self._poll())

    def _spawn(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        # Not in the context of whichever request came first: what the hub logs belongs to none.
        self._tasks[name] = asyncio.get_running_loop().create_task(work, name=f"live {name}", context=Context())

    def join(self, socket: Socket) -> None:
        """A socket was opened."""
        self._sockets.add(socket)

    async def leave(self, socket: Socket) -> None:
        """A socket is closed. With the last one the hub ends."""
        socket.is_closed = True
        self._sockets.discard(socket)
        for name in list(socket.topics):
            await self.unsubscribe(socket, name)
        if not self._sockets and not self.is_kept:
            await self.end()

    async def subscribe(self, socket: Socket, name: str, after: object) -> None:
        """Send `socket` what comes after the cursor `after`. ConsoleError if there is no such topic or cursor."""
        reader = reader_of(name)(name)
        cursor: Cursor = await in_thread(reader.start, after)
        if socket.is_closed:
            return
        if name not in self._topics:
            self._topics[name] = Topic(name, reader)
            self._spawn(name, self._topics[name].run())
        socket.topics.add(name)
        self._topics[name].add(socket, cursor)

    async def unsubscribe(self, socket: Socket, name: str) -> None:
        """Send `socket` nothing more of a topic."""
        socket.topics.discard(name)
        topic = self._topics.get(name)
        if topic is not None:
            topic.remove(socket)
            await self._drop_if_empty(topic)

    def ack(self, socket: Socket, number: int) -> bool:
        """The browser has the first `number` frames; False if it can't have."""
        was_full = not socket.has_room
        if not socket.ack(number):
            return False
        if was_full and socket.has_room:
            for name in socket.topics:
                self._topics[name].made_room(socket)
        return True

    def _hear(self, hints: Hints, committed_at: float | None) -> None:
        for name, seq in hints.items():
            if name in self._topics:
                self._topics[name].hint(seq, committed_at)

    def _look_again(self) -> None:
        """What was said before the ear was there went unheard."""
        for topic in self._topics.values():
            topic.look_again()

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(POLL_EVERY_S)
            for socket in [socket for socket in self._sockets if socket.is_overdue and not socket.is_closed]:
                await self._drop_slow(socket)
            if self._topics and (self._probe.has_changed() or self._poll_failed):
                await self._find_unheard()
            elif self.is_kept and (self._poll_failed or self._passes % READ_EVERY_PASSES == 0):
                await self._read_something()
            self._passes += 1
            if not self._poll_failed:
                self.last_pass = Pass(timezone.now(), len(self._sockets), len(self._topics))

    async def _read_something(self) -> None:
        """Use the threads and the database as a topic would."""
        try:
            await in_thread(_read_one)
        except Exception as error:  # noqa: BLE001  whatever broke, it is told once and tried again
            self._read_failed(error)
        else:
            self._poll_failed = False

    async def _find_unheard(self) -> None:
        by_reader: dict[type[TopicReader], dict[str, Cursor]] = {}
        for name, topic in list(self._topics.items()):
            if topic.head is None:
                await self._drop_if_empty(topic)
            else:
                by_reader.setdefault(type(topic.reader), {})[name] = topic.head
        try:
            stale = [await in_thread(reader.stale, heads) for reader, heads in by_reader.items()]
        except Exception as error:  # noqa: BLE001  as above
            self._read_failed(error)
            return
        self._poll_failed = False
        for name in set().union(*stale) & self._topics.keys():
            self._topics[name].look_again(after_poll=True)

    def _read_failed(self, error: Exception) -> None:
        if not self._poll_failed:
            log.warning("LIVE_READ_FAILED", topic="*", error=type(error).__name__, exc_info=error)
        self._poll_failed = True

    async def _drop_slow(self, socket: Socket) -> None:
        metrics.LIVE_DROPPED.inc()
        log.warning("SOCKET_TOO_SLOW", unacked_bytes=socket.unacked_bytes, sent=socket.sent)
        for name in list(socket.topics):
            await self.unsubscribe(socket, name)
        await socket.close(TOO_SLOW)

    async def _drop_if_empty(self, topic: Topic) -> None:
        if topic.is_empty and self._topics.get(topic.name) is topic:
            del self._topics[topic.name]
            await _cancelled(self._tasks.pop(topic.name))

    async def end(self) -> None:
        """Stop, and leave the group of all hubs."""
        if _hubs.get(loop := asyncio.get_running_loop()) is self:
            del _hubs[loop]
        tasks, self._tasks = list(self._tasks.values()), {}
        await _cancelled(*tasks)
        self._probe.close()


def _read_one() -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT 1")


async def _cancelled(*tasks: asyncio.Task[None]) -> None:
    """Cancel tasks and wait for their end; more than once, since redis-py loses a cancellation now and then (1 in 8, measured)."""
    while pending := [task for task in tasks if not task.done()]:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=CANCEL_AGAIN_S)


_hubs: dict[asyncio.AbstractEventLoop, Hub] = {}


def running_hub() -> Hub:
    """The hub of the running event loop, made when the first socket asks for it."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        adopt_running_loop()
        _hubs[loop] = Hub()
    return _hubs[loop]


def keep_hub() -> None:
    """Have the running event loop's hub from now on, also while it has no socket: so that its health can be proven."""
    running_hub().is_kept = True


async def end_hub() -> None:
    """End the running event loop's hub, if it has one."""
    hub = _hubs.get(asyncio.get_running_loop())
    if hub is not None:
        await hub.end()


def last_pass() -> Pass | None:
    """The last whole pass of the running event loop's hub; None if it has made none."""
    hub = _hubs.get(asyncio.get_running_loop())
    return hub.last_pass if hub else None
