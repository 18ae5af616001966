"""Items on their way from the agent's threads to the sender: bounded, never blocking."""

import queue
import threading
from collections import deque

from agentconsole.sdk.drops import Drops

BATCH_ITEMS = 512
BATCH_BYTES = 4_000_000


class Buffer:
    """A bounded queue of encoded items. Full, it drops the oldest: how a run ended matters more than how it began.

    A signal handler may run between any two instructions of `put`, in the same thread, and use the buffer too: hence
    the reentrant lock, and SimpleQueue, whose `put` is reentrant, instead of a condition.
    """

    def __init__(self, drops: Drops, *, max_items: int = 20_000, max_bytes: int = 32 * 1024 * 1024) -> None:
        self._drops = drops
        self._max_items = max_items
        self._max_bytes = max_bytes
        self._lock = threading.RLock()
        self._items: deque[bytes] = deque()
        self._bytes = 0
        self._wakes: queue.SimpleQueue[None] = queue.SimpleQueue()

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: bytes) -> None:
        """Add an item, and wake the sender for the first of a batch and for a full one."""
        lost: list[bytes] = []
        with self._lock:
            self._items.append(item)
            self._bytes += len(item)
            while self._bytes > self._max_bytes or len(self._items) > self._max_items:
                lost.append(self._pop())
            is_worth_a_wake = (
                len(self._items) in (1, BATCH_ITEMS) or self._bytes - len(item) < BATCH_BYTES <= self._bytes
            )
        self._drops.add(lost, "memory is full")
        if is_worth_a_wake:
            self.wake()

    def take(self, max_items: int = BATCH_ITEMS, max_bytes: int = BATCH_BYTES) -> list[bytes]:
        """The oldest items, up to one batch of them."""
        batch: list[bytes] = []
        size = 0
        with self._lock:
            while self._items and len(batch) < max_items and (not batch or size + len(self._items[0]) <= max_bytes):
                item = self._pop()
                batch.append(item)
                size += len(item)
        return batch

    def put_back(self, items: list[bytes]) -> None:
        """Return items that `take` gave and that could not be delivered, to their old place."""
        lost: list[bytes] = []
        with self._lock:
            self._items.extendleft(reversed(items))
            self._bytes += sum(map(len, items))
            while self._bytes > self._max_bytes or len(self._items) > self._max_items:
                lost.append(self._pop())
        self._drops.add(lost, "memory is full")

    def wake(self) -> None:
        """Let a sender that waits go on at once."""
        self._wakes.put(None)

    def wait(self, timeout_s: float | None) -> None:
        """Wait for a wake, or for the time to pass; wakes that came meanwhile count as this one."""
        try:
            self._wakes.get(timeout=timeout_s)
            while True:
                self._wakes.get_nowait()
        except queue.Empty:
            return

    def _pop(self) -> bytes:
        item = self._items.popleft()
        self._bytes -= len(item)
        return item
