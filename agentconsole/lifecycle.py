"""How a process of the console ends: in order, within a deadline, and never after the one that started it.

SIGTERM, SIGINT (Ctrl-C) and SIGHUP (the terminal was closed) ask for an orderly end. A second one ends at once.

**Web** (`manage.py serve`; `agentconsole/server.py`). It has `DRAIN_S`.
1. `begin_drain`: `/health/ready` says 503; long polls are answered with what they would say at their own end.
2. The doors close: what waits in the port's queue is taken, then the port is closed. Sockets are sent away with 1012; browsers
   come back by cursor, elsewhere. A door for gRPC closes here too, and its calls under way go on like requests.
3. What is under way goes on: requests that are computed, bodies that still arrive, answers that still leave. Each answer closes its
   connection, so that the client opens its next one elsewhere.
4. At the deadline the rest is cut off and logged (REQUEST_CUT_OFF): a request that has not arrived is answered 503.
5. The history of health is written, the hub leaves its group, exit 0.

**Worker** (Celery; `agentconsole/workers.py`). It has `WORKER_DRAIN_S`. It takes no more tasks and finishes those that it has; at the
deadline the rest is cut off and logged (TASK_CUT_OFF), and its messages go back to the queue, for another worker. Beat ends with the round of
its loop; what it did not send, the next one sends.

**OTLP over gRPC** (`manage.py otlp_grpc`). It has `DRAIN_S`: it takes no new calls and finishes those that it has.

**Console** (`manage.py console`; `management/supervisor.py`). It asks its children one after the other, the last one first, and kills what is
still there KILL_GRACE_S after its own deadline. When it dies itself, its children see that and end (`end_with`).

**Agents** (the SDK; `agentconsole/sdk/exits.py`). A process that ends delivers what it recorded within `exit_deadline_s`.

Nothing here is needed for what was acknowledged to survive: that was committed before it was answered. It is for those who wait.
"""

import os
import queue
import signal
import threading
import time
from contextlib import suppress
from typing import NoReturn

from agentconsole.logconf import get_logger

log = get_logger(__name__)

# Asked for, a process ends by itself within its deadline and less than this; then whoever waits for it kills it.
KILL_GRACE_S = 10
# Whatever is left to do behind a deadline (history, connections, logs) has this long.
LEAVE_S = 5
# A second signal ends at once; for so long the process may still do it by itself.
# What a socket is closed with whose browser shall come back by its cursor, elsewhere.
RESTART_CODE = 1012
AT_ONCE_S = 0.3
# The exit code of a process that hung.
OVERRUN = 1
PARENT_POLL_S = 0.5
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

_draining = threading.Event()


def stop_signals() -> list[signal.Signals]:
    """The signals that ask this process to stop: not SIGHUP where it was told to ignore that (`nohup`).

    SIGINT is one also where a shell started this process in the background, and so with SIGINT ignored: whoever sends it means it.
    """
    hung_up = signal.getsignal(signal.SIGHUP)
    return [number for number in STOP_SIGNALS if number is not signal.SIGHUP or hung_up is not signal.SIG_IGN]


def is_draining() -> bool:
    """Whether this process was asked to stop: it takes nothing new, and is not ready."""
    return _draining.is_set()


def begin_drain() -> None:
    """Mark this process as draining. Once; later calls do nothing."""
    if not _draining.is_set():
        _draining.set()
        log.info("DRAIN_STARTED")


class Deadline:
    """Ends this process if it has not ended by itself in time, whatever it hangs in.

    A thread that is there beforehand: `end_by` may be called in a signal handler, where a lock or a new thread could wait for
    the very code that was interrupted. Of several deadlines the earliest holds.
    """

    def __init__(self) -> None:
        self._asked: queue.SimpleQueue[tuple[float, int]] = queue.SimpleQueue()
        threading.Thread(target=self._watch, name="deadline", daemon=True).start()

    def end_by(self, within_s: float, code: int) -> None:
        """From now on the process has so many seconds; it would then end with `code`."""
        self._asked.put((time.monotonic() + within_s, code))

    def _watch(self) -> None:
        at, code = self._asked.get()
        while (left_s := at - time.monotonic()) > 0:
            with suppress(queue.Empty):
                at, code = min((at, code), self._asked.get(timeout=left_s))
        if code == OVERRUN:
            log.error("DRAIN_OVERRUN")
        leave(code)


def leave(code: int) -> NoReturn:
    """End this process now. An exit of Python's own would wait for each thread, also for one that hangs in a request.

    Nothing needs to be flushed: a log line is written when it is logged.
    """
    os._exit(code)


def end_with(parent_pid: int, *, within_s: float = KILL_GRACE_S) -> None:
    """Stop this process when its parent is gone, also when that was killed: SIGTERM to itself, then exit if it takes longer than
    `within_s`.

    Polls the parent's id: the one sign that works on every Unix and survives the forks of Celery, which closes
    inherited pipes.
    """
    threading.Thread(target=_watch_parent, args=(parent_pid, within_s), name="parent watch", daemon=True).start()


def _watch_parent(parent_pid: int, within_s: float) -> None:
    while os.getppid() == parent_pid:
        time.sleep(PARENT_POLL_S)
    log.warning("PARENT_GONE", parent_pid=parent_pid)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(within_s)
    os._exit(1)
