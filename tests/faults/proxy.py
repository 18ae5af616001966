"""What lies between a process of the console and a server: links that can be cut without a word, or made slow."""

import asyncio
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

CHUNK = 64 * 1024


class Link:
    """A TCP port of our own that leads to a server's. While it is cut no byte gets through in either direction, neither on
    connections that there are nor on new ones, and nobody is told: as behind a rule that drops packets. What was under way
    arrives once it is mended."""

    def __init__(self, to_port: int) -> None:
        self.to_port = to_port
        self.port = 0
        self.delay_s = 0.0
        self._open = asyncio.Event()
        self._open.set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def listen(self) -> None:
        """Take a free port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def block(self, is_cut: bool) -> None:
        """Cut, or mend."""
        if is_cut:
            self._open.clear()
        else:
            self._open.set()

    async def _serve(self, near: asyncio.StreamReader, near_back: asyncio.StreamWriter) -> None:
        await self._open.wait()
        try:
            far, far_back = await asyncio.open_connection("127.0.0.1", self.to_port)
        except OSError:
            near_back.close()
            return
        both = [
            asyncio.create_task(self._carry(near, far_back, 0.0)),
            asyncio.create_task(self._carry(far, near_back, None)),
        ]
        self._tasks.update(both)
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        for task in both:
            task.cancel()
            self._tasks.discard(task)
        for writer in (near_back, far_back):
            writer.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay_s: float | None) -> None:
        with suppress(OSError):
            while data := await reader.read(CHUNK):
                await self._open.wait()
                # Answers are late, not questions: each waits once.
                await asyncio.sleep(self.delay_s if delay_s is None else delay_s)
                writer.write(data)
                await writer.drain()
            await self._open.wait()


class Links:
    """All links of a console, on a loop in a thread of their own. `with` starts and ends it."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="links", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def to(self, port: int) -> Link:
        """A new link to a server's port."""
        link = Link(port)
        asyncio.run_coroutine_threadsafe(link.listen(), self._loop).result(10)
        return link

    def cut(self, *links: Link) -> None:
        """Drop everything from now on."""
        for link in links:
            self._loop.call_soon_threadsafe(link.block, True)

    def mend(self, *links: Link) -> None:
        """Let everything through again."""
        for link in links:
            link.delay_s = 0.0
            self._loop.call_soon_threadsafe(link.block, False)
