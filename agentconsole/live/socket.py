"""One browser's end of the wire, and how much it has not confirmed yet.

Daphne's `send` never waits, so nothing below would tell a slow browser from a fast one: the browser confirms what it got.
"""

from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from time import monotonic

from agentconsole.lifecycle import RESTART_CODE
from agentconsole.logconf import get_logger

log = get_logger(__name__)

WINDOW_BYTES = 512 * 1024
ACK_WITHIN_S = 20.0


class Socket:
    """Sends texts and counts those that are not acknowledged yet.

    A socket without room is passed over, and reads on from where it stands once it has acknowledged: rows are states, so
    it misses nothing and holds at most the window and one frame of memory. One that acknowledges nothing is overdue.
    """

    def __init__(self, send: Callable[[str], Awaitable[None]], close: Callable[[int], Awaitable[None]]) -> None:
        self._send = send
        self._close = close
        self._unacked: deque[tuple[int, float]] = deque()
        self.topics: set[str] = set()
        self.sent = 0
        self.unacked_bytes = 0
        self.is_closed = False

    @property
    def has_room(self) -> bool:
        """Whether it may be sent another frame."""
        return self.unacked_bytes < WINDOW_BYTES

    @property
    def is_overdue(self) -> bool:
        """Whether the oldest frame waits for its acknowledgement for too long."""
        return bool(self._unacked) and monotonic() - self._unacked[0][1] > ACK_WITHIN_S

    async def send(self, text: str) -> None:
        """Send a text that the browser has to acknowledge."""
        if self.is_closed:
            return
        self.sent += 1
        self.unacked_bytes += len(text)
        self._unacked.append((len(text), monotonic()))
        try:
            await self._send(text)
        except Exception as error:  # noqa: BLE001  it went away, as servers say in ways of their own; the others are served on
            log.info("SOCKET_SEND_FAILED", error=type(error).__name__)
            # If it is still there after all, its browser has to know that nothing more comes: it returns by its cursor.
            with suppress(Exception):
                await self.close(RESTART_CODE)

    async def close(self, code: int) -> None:
        """Close it; nothing is sent from here on."""
        if not self.is_closed:
            self.is_closed = True
            await self._close(code)

    def ack(self, number: int) -> bool:
        """The browser has the first `number` texts. False if it can't have: it was not sent as many."""
        if not 0 <= number <= self.sent:
            return False
        while self._unacked and number > self.sent - len(self._unacked):
            size, _sent_at = self._unacked.popleft()
            self.unacked_bytes -= size
        return True
