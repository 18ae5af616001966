"""The one background sender: takes items from the agent's threads, brings them to the console, keeps what it can't."""

import json
import threading
import time

import structlog

from agentconsole.sdk import items as wire
from agentconsole.sdk.buffer import BATCH_ITEMS, Buffer
from agentconsole.sdk.drops import Drops
from agentconsole.sdk.journal import Journal
from agentconsole.sdk.link import Link
from agentconsole.sdk.post import SENDER_NAME, Fate, Post, Receipt

log = structlog.get_logger(__name__)

LINGER_S = 0.1
ADOPT_EVERY_S = 60.0
FAULT_PAUSE_S = 1.0


class Delivery:
    """Never blocks and never raises into the agent. Without a journal, what can't be sent waits in memory."""

    def __init__(self, post: Post, journal: Journal | None, buffer: Buffer, drops: Drops) -> None:
        self._post = post
        self._journal = journal
        self._buffer = buffer
        self._drops = drops
        self._link = Link()
        self._inflight: list[bytes] = []
        self._tries = 0
        self._failed_try = 0
        self._is_urgent = False
        self._is_closed = False
        self._is_stopping = False
        self._adopt_at = time.monotonic() + ADOPT_EVERY_S
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        if journal:
            self._ensure_thread()

    def put(self, item: bytes) -> None:
        """Hand over an encoded item."""
        if self._is_closed:
            self._drops.add([item], "the console object is closed")
            return
        self._buffer.put(item)
        if self._thread is None:
            self._ensure_thread()

    @property
    def is_cut_off(self) -> bool:
        """Whether the console can't be reached, and something waits for it."""
        return not self._link.is_up and not self._is_idle()

    def flush(self, deadline_s: float) -> bool:
        """Whether everything, the journal's backlog included, was delivered within the deadline. With a journal it gives
        up at the first failure: what is on disk is safe."""
        until = time.monotonic() + deadline_s
        tries = self._tries
        self._is_urgent = True
        # Polling, because a signal handler may be the caller: a lock here could be held by the very thread it interrupts.
        while not self._is_idle() and time.monotonic() < until:
            if self._tries == tries:
                self._link.try_now()
                self._buffer.wake()
            elif self._journal is not None and self._failed_try > tries and not self._in_memory():
                break
            time.sleep(0.005)
        self._is_urgent = False
        return self._is_idle()

    def close(self, deadline_s: float) -> None:
        """Flush, stop, and put what is left on disk, or say how much was lost."""
        if self._is_closed:
            return
        self._is_closed = True
        until = time.monotonic() + deadline_s
        self.flush(deadline_s)
        self._is_stopping = True
        self._buffer.wake()
        if self._thread is not None:
            self._thread.join(max(until - time.monotonic(), 0.1))
        self._keep_leftover()
        if self._journal is not None:
            self._journal.close()
        self._post.close()

    def forget(self) -> None:
        """After a fork, in the child: what was on its way is the parent's to deliver."""
        if self._journal is not None:
            self._journal.forget()

    def _is_idle(self) -> bool:
        return not self._in_memory() and not self._journal

    def _in_memory(self) -> int:
        return len(self._buffer) + len(self._inflight)

    def _ensure_thread(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=SENDER_NAME, daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while not self._is_stopping:
            try:
                self._wait()
                while self._step():
                    pass
            except Exception:
                log.exception("SDK_FAULT", where="delivery")
                self._drops.add(self._inflight, "the SDK broke")
                self._inflight = []
                time.sleep(FAULT_PAUSE_S)

    def _wait(self) -> None:
        """Until there is a batch to send, or the console may be asked again, or it is time to look for orphans."""
        if self._journal or self._buffer:
            self._buffer.wait(self._link.due_in_s())
        else:
            self._buffer.wait(ADOPT_EVERY_S if self._journal is not None else None)
        if len(self._buffer) < BATCH_ITEMS and not self._is_urgent and not self._is_stopping:
            self._buffer.wait(LINGER_S)
        if self._journal is not None and time.monotonic() >= self._adopt_at:
            self._adopt_at = time.monotonic() + ADOPT_EVERY_S
            self._journal.adopt()

    def _step(self) -> bool:
        """Deal with one batch from memory and one from the journal; whether there may be more to do at once."""
        can_send = not self._link.due_in_s()
        must_queue = self._journal is not None and (not can_send or self._journal.has_own)
        self._inflight = batch = self._buffer.take() if can_send or must_queue else []
        if batch:
            self._keep(batch if must_queue else self._send(batch))
        self._inflight = []
        chunk = self._journal.peek() if self._journal is not None and not self._link.due_in_s() else []
        if chunk and self._journal is not None:
            self._journal.settle(len(chunk) - len(self._send(chunk)))
        if self._link.is_up:
            self._tell_drops()
        return bool(batch or chunk)

    def _send(self, batch: list[bytes]) -> list[bytes]:
        """Deliver items in order. Returns those that must be kept: a batch that the console can't read is halved until
        the item at fault is alone, and that one is given up."""
        parts = [batch]
        while parts:
            part = parts.pop()
            self._tries += 1
            receipt = self._post.send(part)
            if receipt.fate in (Fate.AWAY, Fate.REFUSED):
                self._failed_try = self._tries
                self._link.lost(receipt)
                return [item for later in (part, *reversed(parts)) for item in later]
            self._link.answered()
            if receipt.fate is Fate.TAKEN:
                _say_rejected(receipt)
            elif len(part) == 1:
                self._drops.add(part, f"the console can't read it: {receipt.reason}")
            else:
                parts += [part[len(part) // 2 :], part[: len(part) // 2]]
        return []

    def _keep(self, items: list[bytes]) -> None:
        if not items:
            return
        if self._journal is None:
            self._buffer.put_back(items)
            return
        try:
            self._journal.append(items)
        except OSError as error:
            log.warning("SDK_JOURNAL_FAILED", reason=type(error).__name__, errno=error.errno)
            self._journal.close()
            self._journal = None
            self._buffer.put_back(items)

    def _keep_leftover(self) -> None:
        left = self._inflight + self._buffer.take(max_items=len(self._buffer), max_bytes=1 << 62)
        if left and self._journal is not None:
            self._keep(left)
        is_kept = self._journal is not None
        if not is_kept:
            self._drops.add(left, "the process ended and there is no journal")
        if left or self._journal:
            log.warning("SDK_FLUSH_INCOMPLETE", items=len(left), is_kept=is_kept)

    def _tell_drops(self) -> None:
        for run_id, reason, count in self._drops.take():
            if run_id:
                fields = {"items": count, "reason": reason}
                lost = wire.event(run_id, "", "SDK_ITEMS_DROPPED", level="error", fields=fields)
                self._buffer.put(json.dumps(lost, ensure_ascii=False).encode())


def _say_rejected(receipt: Receipt) -> None:
    if receipt.rejected:
        first = receipt.rejected[0]
        log.warning(
            "SDK_ITEMS_REFUSED", items=len(receipt.rejected), code=first.get("code"), reason=first.get("message")
        )
