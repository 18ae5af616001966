"""The web server in a process of its own, in front of a tiny application (tests/processes/tiny_server.py)."""

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.processes.running import ROOT, parsed, wait_for


class Tiny:
    """The running server."""

    def __init__(self, log: Path, *, receive_timeout_s: float = 1, drain_s: float = 3) -> None:
        self.log = log
        command = [sys.executable, "-m", "tests.processes.tiny_server", str(receive_timeout_s), str(drain_s)]
        with log.open("wb") as output:
            self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=output, text=True)
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()
        httpx.get(self.url, timeout=20)  # until then, a signal would find it unprepared

    def raw(self, *, within_s: float = 10) -> socket.socket:
        """A bare connection."""
        place = urlsplit(self.url)
        return socket.create_connection((str(place.hostname), place.port or 0), timeout=within_s)

    def events(self, token: str) -> list[dict[str, Any]]:
        """What it logged under a token."""
        lines = map(parsed, self.log.read_text(encoding="utf-8").splitlines())
        return [line for line in lines if line.get("event") == token]

    def is_listening(self) -> bool:
        """Whether it takes connections."""
        try:
            self.raw(within_s=0.2).close()
        except (ConnectionRefusedError, ConnectionResetError, TimeoutError):
            return False
        return True

    def wait_for_request(self) -> None:
        """Until the application has begun on one."""
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "begun\n"

    def terminate(self) -> None:
        """Ask it to stop, and wait until it takes nothing new."""
        self.process.send_signal(signal.SIGTERM)
        wait_for("it stops listening", lambda: not self.is_listening())


def answer_of(connection: socket.socket) -> tuple[int, dict[str, str], dict[str, Any]]:
    """Status, headers and JSON of what the server says until it closes."""
    received = b""
    while piece := connection.recv(65536):
        received += piece
    head, body = received.split(b"\r\n\r\n", 1)
    status, *lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return int(status.split()[1]), headers, json.loads(body)
