"""Runs child processes: starts them, restarts what crashes, stops them in order, leaves none behind."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import FrameType

from agentconsole.lifecycle import KILL_GRACE_S, STOP_SIGNALS, stop_signals
from agentconsole.logconf import get_logger

log = get_logger(__name__)

POLL_S = 0.1
BACKOFF_FIRST_S = 0.5
BACKOFF_MOST_S = 30
# A child that lived this long had started well: its next crash is a first one.
LIVED_WELL_S = 60
# So many crashes in a row are no accident.
CRASHES_TOLD = 3


@dataclass(slots=True)
class Child:
    """One process of the set, and what became of it so far.

    `drain_s` is what it gives its own work when it is asked to stop. It shares the supervisor's `sockets`.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    drain_s: float
    sockets: Sequence[socket.socket] = ()
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0
    start_at: float = 0
    crashes: int = 0

    def start(self) -> None:
        """Start it in a session of its own: Ctrl-C in the terminal reaches the supervisor alone, which then stops each once."""
        self.process = subprocess.Popen(  # noqa: S603  our own command lines
            self.argv,
            env=dict(self.env),
            pass_fds=[held.fileno() for held in self.sockets],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.started_at = time.monotonic()
        log.info("CHILD_STARTED", child=self.name, pid=self.process.pid)

    def is_alive(self) -> bool:
        """Whether it runs."""
        return self.process is not None and self.process.poll() is None

    def send(self, number: signal.Signals) -> None:
        """Signal the child and those it forked."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)

    def note_exit(self) -> None:
        """It ended without being asked to: due again after a pause that doubles with every crash in a row."""
        if self.process is None:
            return
        code, self.process = self.process.returncode, None
        now = time.monotonic()
        self.crashes = 0 if now - self.started_at > LIVED_WELL_S else self.crashes + 1
        pause_s = min(BACKOFF_MOST_S, BACKOFF_FIRST_S * 2 ** max(0, self.crashes - 1))
        self.start_at = now + pause_s
        log.error("CHILD_EXITED", child=self.name, code=code, restart_in_s=pause_s)
        if self.crashes == CRASHES_TOLD:
            log.error("CHILD_CRASHES_AGAIN", child=self.name, crashes=self.crashes, hint="read its last lines above")


@dataclass
class Supervisor:
    """Keeps `children` running until SIGINT, SIGTERM or SIGHUP; a second signal ends everything at once.

    `on_poll` is called several times a second while the children run, for what waits on them.
    """

    children: Sequence[Child]
    on_poll: Callable[[], object] = lambda: None
    _signals: int = 0

    def run(self) -> int:
        """Supervise; the exit code: 0 after an orderly stop, 1 if a child had to be killed, 130 after a second signal."""
        for number in stop_signals():
            signal.signal(number, self._on_signal)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
        while not self._signals:
            for child in self.children:
                if child.process is not None and not child.is_alive():
                    # Those it forked (Celery's beat) end with it, before another copy starts.
                    child.send(signal.SIGKILL)
                    child.note_exit()
                if child.process is None and time.monotonic() >= child.start_at:
                    child.start()
            self.on_poll()
            time.sleep(POLL_S)
        return self._stop()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._signals += 1

    def _stop(self) -> int:
        """The last child first: a worker's tasks may still need the web process."""
        log.info("DRAIN_STARTED")
        killed = [child.name for child in reversed(self.children) if not self._has_ended(child)]
        log.info("DRAIN_FINISHED", killed=killed)
        if self._signals > 1:
            return 128 + signal.SIGINT
        return 1 if killed else 0

    def _has_ended(self, child: Child) -> bool:
        """Ask a child and those it forked to end, and wait; whether it did so by itself. What is left is killed."""
        for held in child.sockets:
            # It is the last to hold them: what it closes is closed.
            held.close()
        child.send(signal.SIGTERM)
        deadline = time.monotonic() + child.drain_s + KILL_GRACE_S
        while child.is_alive() and self._signals == 1 and time.monotonic() < deadline:
            time.sleep(POLL_S)
        ended = not child.is_alive()
        child.send(signal.SIGKILL)
        if child.process is not None:
            child.process.wait()
        return ended
