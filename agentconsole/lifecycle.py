"""How a process of the console ends: it drains first, and it does not outlive the one that started it."""

import os
import signal
import threading
import time

from agentconsole.logconf import get_logger

log = get_logger(__name__)

PARENT_POLL_S = 0.5
ORPHAN_GRACE_S = 10

_draining = threading.Event()


def is_draining() -> bool:
    """Whether this process was asked to stop: it takes nothing new, and is not ready."""
    return _draining.is_set()


def begin_drain() -> None:
    """Mark this process as draining. Once; later calls do nothing."""
    if not _draining.is_set():
        _draining.set()
        log.info("DRAIN_STARTED")


def end_with(parent_pid: int) -> None:
    """Stop this process when its parent is gone, also when that was killed: SIGTERM to itself, then exit after a grace.

    Polls the parent's id: the one sign that works on every Unix and survives the forks of Celery, which closes
    inherited pipes.
    """
    threading.Thread(target=_watch_parent, args=(parent_pid,), name="parent watch", daemon=True).start()


def _watch_parent(parent_pid: int) -> None:
    while os.getppid() == parent_pid:
        time.sleep(PARENT_POLL_S)
    log.warning("PARENT_GONE", parent_pid=parent_pid)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(ORPHAN_GRACE_S)
    os._exit(1)
