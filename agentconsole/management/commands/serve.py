"""`manage.py serve`: one web process."""

import asyncio
import os
import socket
from contextvars import Context
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from agentconsole import metrics, telemetry
from agentconsole.health.recorder import Recorder
from agentconsole.health.startup import startup
from agentconsole.health.watch import Watch
from agentconsole.lifecycle import KILL_GRACE_S, end_with, leave
from agentconsole.live import adopt_running_loop, end_hub, keep_hub
from agentconsole.management.holding import hold_folder
from agentconsole.management.listening import listen
from agentconsole.memory import settle_memory
from approvals.presentation import load_likenesses

if TYPE_CHECKING:
    from traces.otlp.grpc_door import GrpcDoor


class Command(BaseCommand):
    """Serve pages, APIs and live sockets until SIGTERM or SIGINT; then finish what is under way and exit 0."""

    help = "Serve the console's pages, APIs and live sockets from this process."
    requires_system_checks = "__all__"

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to listen."""
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--fd", type=int, help="adopt this listening socket instead (the supervisor's)")
        parser.add_argument("--grpc-port", type=int, help="take OTLP over gRPC too, here; 0 takes a free one")

    def handle(self, *args: Any, host: str, port: int, fd: int | None, grpc_port: int | None, **options: Any) -> None:
        """Listen and serve."""
        hold_folder()
        supervisor_pid = os.environ.get("CONSOLE_SUPERVISOR_PID")
        if supervisor_pid:
            end_with(int(supervisor_pid), within_s=settings.DRAIN_S + KILL_GRACE_S)
        # Here, not above: importing it installs Twisted's reactor, which other commands have no use for.
        from agentconsole.server import ConsoleServer

        listening = listen(host, port) if fd is None else socket.socket(fileno=fd)
        from agentconsole.asgi import application

        telemetry.start()
        # What requests would load.
        load_likenesses()
        settle_memory()
        background = Background(_grpc_door(listening, grpc_port))
        server = ConsoleServer(
            application,
            listening,
            max_body_bytes=settings.INGEST_MAX_BYTES,
            drain_s=settings.DRAIN_S,
            # The supervisor's belongs to the next web process too.
            owns_port=fd is None,
            on_start=background.begin,
            on_closing=background.close_door,
            on_drained=background.end,
        )
        # In an empty context: what happens here belongs to no request of the command line.
        code = Context().run(server.run)
        telemetry.stop()
        leave(code)


def _grpc_door(listening: socket.socket, port: int | None) -> "GrpcDoor | None":
    """A door at the same address as the web's."""
    if port is None:
        return None
    # Here, not above: 20 MB that a web process without it has no use for.
    from traces.otlp.grpc_door import GrpcDoor

    return GrpcDoor(listening.getsockname()[0], port)


class Background:
    """What runs beside the requests of a web process."""

    def __init__(self, door: "GrpcDoor | None" = None) -> None:
        self.recorder = Recorder()
        self.door = door

    def begin(self) -> None:
        """Start with the server's event loop: live hints go out through it, and health is watched from it."""
        metrics.begin_process()
        adopt_running_loop()
        keep_hub()
        Watch().start()
        self.recorder.start()
        startup.start()
        if self.door is not None:
            self._opening = asyncio.ensure_future(self.door.open_or_say())

    async def close_door(self, within_s: float) -> None:
        """Take no more calls of other protocols than HTTP, and let those under way finish."""
        if self.door is not None:
            await self._opening
            await self.door.close(within_s)

    async def end(self) -> None:
        """After the last answer: write what was seen of health, and leave the other hubs."""
        await asyncio.gather(self.recorder.end(), end_hub())
