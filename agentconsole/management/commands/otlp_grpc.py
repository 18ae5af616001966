"""`manage.py otlp_grpc`: one process that takes OTLP over gRPC."""

import asyncio
import os
import signal
from pathlib import Path
from types import FrameType
from typing import Any

import grpc
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from agentconsole import telemetry
from agentconsole.lifecycle import (
    AT_ONCE_S,
    KILL_GRACE_S,
    LEAVE_S,
    OVERRUN,
    Deadline,
    begin_drain,
    end_with,
    leave,
    stop_signals,
)
from agentconsole.live import adopt_running_loop
from agentconsole.logconf import get_logger
from agentconsole.management.holding import hold_folder
from agentconsole.memory import settle_memory
from traces.otlp.grpc_door import GrpcDoor

log = get_logger(__name__)


class Command(BaseCommand):
    """Take OTLP over gRPC until SIGTERM or SIGINT; then finish what is under way and exit 0."""

    help = "Take OTLP traces and logs over gRPC in this process."
    requires_system_checks = "__all__"

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to listen."""
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=settings.OTLP_GRPC_PORT or 4317, help="0 takes a free one")
        parser.add_argument("--certificate", type=Path, help="a PEM file with the certificate and its chain: TLS")
        parser.add_argument("--key", type=Path, help="a PEM file with the certificate's key")

    def handle(
        self, *args: Any, host: str, port: int, certificate: Path | None, key: Path | None, **options: Any
    ) -> None:
        """Listen and serve."""
        hold_folder()
        supervisor_pid = os.environ.get("CONSOLE_SUPERVISOR_PID")
        if supervisor_pid:
            end_with(int(supervisor_pid), within_s=settings.DRAIN_S + KILL_GRACE_S)
        serving = Serving(GrpcDoor(host, port, credentials_of(certificate, key)))
        telemetry.start()
        settle_memory()
        try:
            asyncio.run(serving.run())
        except RuntimeError as error:
            raise CommandError(
                f"Can't listen on {host}, port {port}. Stop what listens there, or set OTLP_GRPC_PORT."
            ) from error
        telemetry.stop()
        leave(serving.exit_code)


def credentials_of(certificate: Path | None, key: Path | None) -> grpc.ServerCredentials | None:
    """What makes the door speak TLS; None where neither file is given. CommandError says which one is missing."""
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise CommandError("TLS needs both --certificate and --key.")
    try:
        return grpc.ssl_server_credentials([(key.read_bytes(), certificate.read_bytes())])
    except OSError as error:
        raise CommandError(f"Can't read {error.filename}: {error.strerror}.") from error


class Serving:
    """A door from its opening to its end, in the order of `agentconsole/lifecycle.py`."""

    def __init__(self, door: GrpcDoor) -> None:
        self.door = door
        self.exit_code = 0
        self._signals = 0
        self._deadline = Deadline()

    async def run(self) -> None:
        """Take calls until a signal comes. RuntimeError where the port can't be had."""
        self._loop, self._asked = asyncio.get_running_loop(), asyncio.Event()
        adopt_running_loop()
        await self.door.open()
        for number in stop_signals():
            signal.signal(number, self._on_signal)
        await self._asked.wait()
        begin_drain()
        await self.door.close(settings.DRAIN_S)
        log.info("DRAIN_FINISHED")

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._signals += 1
        if self._signals == 1:
            self._deadline.end_by(settings.DRAIN_S + LEAVE_S, OVERRUN)
            self._loop.call_soon_threadsafe(self._asked.set)
        else:
            self.exit_code = 128 + number
            self._deadline.end_by(AT_ONCE_S, self.exit_code)
