"""Items on disk while the console is away, so that they survive the agent's death.

A directory that an agent's processes share. Each process appends to a folder of its own and holds a lock on it as long
as it lives; a folder whose lock is free belongs to nobody, and whoever finds it delivers it. Delivering an item twice is
harmless (ingest is idempotent), so there is no record of what was delivered beyond deleting files.

Writes reach the kernel at once and so survive `kill -9`; they are not synced to the disk, so a power cut may take the
last seconds. Syncing each batch would make an agent wait for its disk because its telemetry is in trouble.
"""

import errno
import fcntl
import os
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import Self

from agentconsole.protocol.ids import uuid7
from agentconsole.sdk.buffer import BATCH_BYTES, BATCH_ITEMS
from agentconsole.sdk.drops import Drops

PREFIX = "agentconsole-"
LOCK = "lock"
SEGMENT_BYTES = 1024 * 1024
DEFAULT_MAX_BYTES = 64 * 1024 * 1024


class Folder:
    """One process's segments: NDJSON files, written and read in order, under a lock that dies with its holder."""

    def __init__(self, path: Path, lock_fd: int) -> None:
        self.path = path
        self._lock_fd = lock_fd
        self._writing: int | None = None
        self._written = 0
        self._lines: deque[bytes] = deque()
        self._reading: Path | None = None

    @classmethod
    def make(cls, root: Path) -> Self:
        """A new folder for this process."""
        while True:
            path = root / f"{PREFIX}{uuid7()}"
            path.mkdir(mode=0o700)
            (path / LOCK).touch(mode=0o600)
            folder = cls.claim(path)
            if folder is not None:  # else somebody adopted it between the two lines above
                return folder

    @classmethod
    def claim(cls, path: Path) -> Self | None:
        """The folder at `path` if its owner is gone, else None."""
        try:
            lock_fd = os.open(path / LOCK, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            fcntl.flock(lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Whoever delivered the folder may have removed it between our open and our lock.
            is_current = os.fstat(lock_fd).st_ino == (path / LOCK).stat().st_ino
        except OSError:
            is_current = False
        if not is_current:
            os.close(lock_fd)
            return None
        return cls(path, lock_fd)

    def segments(self) -> list[Path]:
        """The files, oldest first."""
        return sorted(self.path.glob("*.ndjson"))

    def append(self, items: list[bytes]) -> None:
        """Write items in one go. OSError if the disk refuses; a line torn by that is the last of its segment."""
        if self._writing is None or self._written >= SEGMENT_BYTES:
            self.seal()
            self._writing = os.open(
                self.path / f"{uuid7()}.ndjson",
                os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC,
                0o600,
            )
        data = b"".join(item + b"\n" for item in items)
        taken = 0
        try:
            taken = os.write(self._writing, data)
        finally:
            if taken < len(data):
                self.seal()
        if taken < len(data):
            raise OSError(errno.ENOSPC, "the disk took only a part")
        self._written += len(data)

    def seal(self) -> None:
        """End the segment that is being written."""
        if self._writing is not None:
            os.close(self._writing)
        self._writing, self._written = None, 0

    def peek(self) -> list[bytes]:
        """The oldest items, at most a batch; empty where nothing is left."""
        self._load()
        batch: list[bytes] = []
        size = 0
        for line in self._lines:
            if len(batch) == BATCH_ITEMS or (batch and size + len(line) > BATCH_BYTES):
                break
            batch.append(line)
            size += len(line)
        return batch

    def settle(self, count: int) -> None:
        """The first `count` items of `peek` are dealt with."""
        for _ in range(count):
            self._lines.popleft()
        if not self._lines:
            self._finish_reading()

    def evict_oldest(self) -> list[bytes]:
        """Give up the oldest segment, and return what was in it."""
        self._load()
        lost = list(self._lines)
        self.settle(len(lost))
        return lost

    def release(self) -> None:
        """Let go of the folder; an empty one disappears."""
        self.seal()
        if not self.segments():
            with suppress(OSError):
                (self.path / LOCK).unlink()
                self.path.rmdir()
        os.close(self._lock_fd)

    def forget(self) -> None:
        """Close the file descriptors and touch nothing: the folder is the parent process's."""
        self.seal()
        os.close(self._lock_fd)

    def _load(self) -> None:
        """Read the oldest segment, unless one is being read. A line without an end was torn by its writer's death."""
        while not self._lines and (segments := self.segments()):
            self.seal()
            self._reading = segments[0]
            *whole, _torn = self._reading.read_bytes().split(b"\n")
            self._lines = deque(line for line in whole if line)
            if not self._lines:
                self._finish_reading()

    def _finish_reading(self) -> None:
        if self._reading is not None:
            self._reading.unlink(missing_ok=True)
            self._reading = None


class Journal:
    """What waits on disk: this process's own folder, then those of processes that died. Used by one thread at a time."""

    def __init__(self, root: Path, drops: Drops, *, max_bytes: int = DEFAULT_MAX_BYTES) -> None:
        """OSError if `root` can't be made or written to."""
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.access(root, os.W_OK | os.X_OK):
            raise PermissionError(f"the journal directory {root} can't be written to")
        self._root = root
        self._drops = drops
        self._max_bytes = max_bytes
        self._own: Folder | None = None
        self._adopted: deque[Folder] = deque()
        self._peeked: Folder | None = None
        self.adopt()

    @property
    def has_own(self) -> bool:
        """Whether items of this process wait: newer ones must then queue up behind them."""
        return self._own is not None and bool(self._own.segments())

    def __bool__(self) -> bool:
        return self.has_own or bool(self._adopted)

    def adopt(self) -> None:
        """Take over the folders of processes that died."""
        mine = {folder.path for folder in self._folders()}
        for path in sorted(self._root.glob(f"{PREFIX}*")):
            if path not in mine and (folder := Folder.claim(path)) is not None:
                self._adopted.append(folder)

    def append(self, items: list[bytes]) -> None:
        """Keep items, if need be in the place of older ones. OSError if the disk refuses."""
        if not self._make_room(sum(map(len, items)) + len(items)):
            self._drops.add(items, "the journal is full")
            return
        if self._own is None:
            self._own = Folder.make(self._root)
        self._own.append(items)

    def peek(self) -> list[bytes]:
        """The next items to deliver, at most a batch."""
        for folder in self._folders():
            if batch := folder.peek():
                self._peeked = folder
                return batch
        self._release_adopted()
        return []

    def settle(self, count: int) -> None:
        """The first `count` items of the last `peek` are dealt with."""
        assert self._peeked is not None
        self._peeked.settle(count)

    def close(self) -> None:
        """Let go of every folder; another process, or the next start, delivers what is left."""
        self._release_adopted()
        if self._own is not None:
            self._own.release()
        self._own = None

    def forget(self) -> None:
        """After a fork, in the child: everything here is the parent's."""
        for folder in self._folders():
            with suppress(OSError):
                folder.forget()

    def _folders(self) -> list[Folder]:
        return [*([self._own] if self._own is not None else []), *self._adopted]

    def _release_adopted(self) -> None:
        while self._adopted:
            self._adopted.popleft().release()

    def _make_room(self, incoming: int) -> bool:
        """Whether there is room now; for its sake the oldest segments go, but never those of a living process."""
        used = self._used()
        if used + incoming > self._max_bytes:
            self.adopt()
        for folder in sorted(self._folders(), key=lambda folder: folder.path):
            while used + incoming > self._max_bytes and (lost := folder.evict_oldest()):
                self._drops.add(lost, "the journal is full")
                used = self._used()
        return used + incoming <= self._max_bytes

    def _used(self) -> int:
        return sum(_size(path) for path in self._root.glob(f"{PREFIX}*/*.ndjson"))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
