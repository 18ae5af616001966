"""How a Celery worker stops: its tasks get WORKER_DRAIN_S, what is left goes back to the queue.

Celery's warm shutdown waits for its tasks without end. This adds the deadline; a second SIGTERM makes it now. Celery's own cold shutdown
(SIGQUIT, a second Ctrl-C) is not used for it: it can't end threads, and where it interrupts a warm one it may hang.
"""

import os
import queue
import signal
import threading
from contextlib import suppress
from typing import Any, NoReturn

from celery import signals
from celery.worker import state
from django.conf import settings

from agentconsole import telemetry
from agentconsole.lifecycle import OVERRUN, begin_drain, leave
from agentconsole.logconf import get_logger

log = get_logger(__name__)

# A broker that hangs is not waited for longer: it gives the messages to another worker by itself, later.
CUT_S = 2


class Stop:
    """Waits for the signal to stop, then for the deadline. In a thread that is there beforehand: see `lifecycle.Deadline`."""

    def __init__(self, worker: Any, drain_s: float) -> None:
        self._worker = worker
        self._drain_s = drain_s
        self.is_asked = False
        self._asked: queue.SimpleQueue[None] = queue.SimpleQueue()
        threading.Thread(target=self._watch, name="worker stop", daemon=True).start()

    def ask(self) -> None:
        """A signal asked to stop."""
        self.is_asked = True
        self._asked.put(None)

    def _watch(self) -> None:
        self._asked.get()
        begin_drain()
        _take_no_more(self._worker)
        with suppress(queue.Empty):
            self._asked.get(timeout=self._drain_s)
        for request in tuple(state.active_requests):
            log.warning("TASK_CUT_OFF", task=request.name, task_id=request.id)
        giving_back = threading.Thread(target=_give_back, args=(self._worker,), daemon=True)
        giving_back.start()
        giving_back.join(CUT_S)
        try:
            _kill_processes(self._worker)
        finally:
            # A thread can't be ended but with its process.
            leave(OVERRUN)


def _take_no_more(worker: Any) -> None:
    """Where the queue is files, Celery would look into it for 2 s more before it ends."""
    connection = getattr(worker.consumer, "connection", None)
    if not worker.use_eventloop and connection is not None:
        connection.drain_events = _nothing_there


def _nothing_there(*args: Any, **kwargs: Any) -> NoReturn:
    raise TimeoutError


def _give_back(worker: Any) -> None:
    """Return what is not acknowledged. RabbitMQ does it by itself when the connection ends."""
    channel = getattr(getattr(worker.consumer, "task_consumer", None), "channel", None)
    qos = getattr(channel, "qos", None)
    if qos is not None:
        qos.restore_unacked_once()


def _kill_processes(worker: Any) -> None:
    """End the processes of its pool; a pool of threads has none, a solo one names its own, which leaves by itself."""
    for pid in set(worker.pool.info.get("processes", ())) - {os.getpid()}:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


# By the name of the worker. A process may run one more, or go on when its worker has ended.
_stops: dict[str, Stop] = {}


@signals.worker_init.connect
def _be_ready_to_stop(sender: Any, **kwargs: Any) -> None:
    _stops[sender.hostname] = Stop(sender, settings.WORKER_DRAIN_S)


@signals.worker_shutting_down.connect
def _stop(sender: str, **kwargs: Any) -> None:
    """In Celery's signal handler."""
    if (stop := _stops.get(sender)) is not None:
        stop.ask()


@signals.worker_shutdown.connect
def _leave(sender: Any, **kwargs: Any) -> None:
    """All is done. Taking the interpreter apart would cost 0.6 s of a core, for nobody."""
    telemetry.stop()
    stop = _stops.pop(sender.hostname, None)
    if stop is not None and stop.is_asked:
        leave(sender.exitcode or 0)
