"""`manage.py console`: everything in one terminal, for a laptop or a single machine."""

import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.db import connections

from agentconsole import metrics
from agentconsole.env import BASE_DIR
from agentconsole.jobs import enqueue_on_commit
from agentconsole.lifecycle import stop_signals
from agentconsole.logconf import get_logger
from agentconsole.management.commands.setup_console import set_up
from agentconsole.management.holding import hold_folder
from agentconsole.management.listening import is_taken, listen, url_of
from agentconsole.management.supervising import go_on_supervising
from agentconsole.management.supervisor import Child
from agentconsole.protocol.context import RequestContext, Transport, bound_context
from runs.services.bootstrap import FirstAdmin

log = get_logger(__name__)

PROBE_TIMEOUT_S = 1
PROBE_EVERY_S = 0.1
METRICS_FOLDER = "metrics"


class Command(BaseCommand):
    """Prepare the database, run web and worker, and print where the console is. Ctrl-C stops it, twice at once."""

    help = "Run the whole console: database, web, worker and schedule, in one terminal."
    requires_system_checks = "__all__"

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to listen."""
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000, help="0 takes a free one")

    def handle(self, *args: Any, host: str, port: int, **options: Any) -> None:
        """Prepare, then supervise until asked to stop."""
        # What agents report is nobody else's on this machine: database, queue, logs, keys.
        os.umask(0o077)
        lock = hold_folder()
        listening = listen(host, port)
        call_command("migrate", interactive=False, verbosity=0)
        first_admin = set_up()
        connections.close_all()
        metrics.empty_folder(settings.VAR_DIR / METRICS_FOLDER)
        url = url_of(listening)
        grpc = grpc_port(host)
        greeter = fork_greeter(listening, lambda: self.welcome(url, first_admin, grpc))
        log = {"level": settings.LOG_LEVEL, "log_format": settings.LOG_FORMAT, "log_file": settings.LOG_FILE}
        go_on_supervising(children_of(listening, url, grpc), log=log, greeter=greeter, lock=lock)

    def welcome(self, url: str, first_admin: FirstAdmin | None, grpc: int | None) -> None:
        """Say where the console is, and let the bundled agent make its first run."""
        lines = [f"Agent Console is at {url}"]
        if grpc is None and settings.OTLP_GRPC_PORT is not None:
            lines += [f"No OTLP over gRPC: port {settings.OTLP_GRPC_PORT} is in use.", "Choose another: OTLP_GRPC_PORT"]
        if first_admin is not None:
            lines += [f"Sign in as {first_admin.username}", f"Password:  {first_admin.password}", "(shown this once)"]
        lines.append("Ctrl-C stops it.")
        width = max(map(len, lines))
        frame = "─" * (width + 2)
        body = "\n".join(f"│ {line:<{width}} │" for line in lines)
        self.stdout.write(f"\n┌{frame}┐\n{body}\n└{frame}┘\n")
        self.stdout.flush()
        if settings.DOCTOR_ENABLED:
            from runs.tasks import run_doctor

            with bound_context(RequestContext.mint(Transport.CLI, actor="console")):
                enqueue_on_commit(run_doctor)
            connections.close_all()


def grpc_port(host: str) -> int | None:
    """Where the door for OTLP over gRPC shall be; None where it is off, or where another console or a collector has that port."""
    port = settings.OTLP_GRPC_PORT
    if port is not None and is_taken(host, port):
        log.warning("OTLP_GRPC_OFF", port=port, hint="stop what listens there, or set OTLP_GRPC_PORT")
        return None
    return port


def children_of(listening: socket.socket, url: str, grpc: int | None) -> list[Child]:
    """The web process on the supervisor's socket (a restart refuses nobody), and the worker with its schedule."""
    fd = listening.fileno()
    web = [str(BASE_DIR / "manage.py"), "serve", "--fd", str(fd)]
    if grpc is not None:
        web += ["--grpc-port", str(grpc)]
    worker = ["-m", "celery", "-q", "-A", "agentconsole", "worker", "-B", "--pool", "threads", "--concurrency", "4"]
    alone = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    return [
        Child("web", [sys.executable, *web], _env("web", url), settings.DRAIN_S, sockets=[listening]),
        Child("worker", [sys.executable, *worker, *alone], _env("worker", url), settings.WORKER_DRAIN_S),
    ]


def _env(name: str, url: str) -> dict[str, str]:
    logs = settings.VAR_DIR / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    own = {"CONSOLE_SUPERVISOR_PID": str(os.getpid()), "PYTHONPATH": str(BASE_DIR)}
    defaults = {
        "CONSOLE_URL": url,
        "LOG_FILE": str(logs / f"{name}.log"),
        # The worker has no door of its own: what it counts, the web process shows.
        "PROMETHEUS_MULTIPROC_DIR": str(settings.VAR_DIR / METRICS_FOLDER),
    }
    return defaults | os.environ | own


def fork_greeter(listening: socket.socket, greet: Callable[[], object]) -> int:
    """The id of a process that calls `greet` once the web process has answered, and ends; also with its parent.

    A fork, since what greets needs all that is loaded, for seconds, and what supervises nothing of it.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        for number in stop_signals():
            signal.signal(number, signal.SIG_DFL)
        address = listening.getsockname()[:2]
        listening.close()
        while not (is_up := _answers(*address)) and os.getppid() == parent:
            time.sleep(PROBE_EVERY_S)
        if is_up:
            greet()
        code = 0
    except Exception as error:
        log.exception("GREETING_FAILED", error=type(error).__name__)
    finally:
        os._exit(code)


def _answers(host: str, port: int) -> bool:
    connection = HTTPConnection(host, port, timeout=PROBE_TIMEOUT_S)
    try:
        connection.request("GET", "/health/live")
        return connection.getresponse().status == 200  # noqa: PLR2004
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
