"""A console of its own for a benchmark: a real web process on a free port, with its own folder and database."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Console:
    """A running web process."""

    url: str
    token: str
    var: Path
    process: subprocess.Popen[bytes]

    @property
    def database(self) -> Path:
        """Its SQLite file."""
        return self.var / "console.sqlite3"

    def stop(self) -> None:
        """Stop it, and wait."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(20)


@contextmanager
def console(**variables: str) -> Iterator[Console]:
    """Start a console with `variables` on top of the environment, with a credential of the agent `bench` in `dev`."""
    with tempfile.TemporaryDirectory() as folder, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        environment = os.environ | {
            "CONSOLE_VAR": folder, "LOG_LEVEL": "ERROR", "INGEST_RATE": "1000000", "DOCTOR_ENABLED": "off",
            "CONSOLE_URL": f"http://127.0.0.1:{port}", **variables,
        }  # fmt: skip
        _manage(environment, "migrate", "--verbosity", "0")
        _manage(environment, "setup_console")
        token = _manage(environment, "issue_credential", "dev", "bench", "bench-1").split()[-1]
        process = subprocess.Popen(
            [sys.executable, "manage.py", "serve", "--port", str(port)], cwd=ROOT, env=environment
        )
        running = Console(f"http://127.0.0.1:{port}", token, Path(folder), process)
        try:
            _await(running)
            yield running
        finally:
            running.stop()


def _manage(environment: dict[str, str], *command: str) -> str:
    return subprocess.run(
        [sys.executable, "manage.py", *command], cwd=ROOT, env=environment, check=True, capture_output=True, text=True
    ).stdout


def _await(running: Console) -> httpx.Response:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with suppress(httpx.HTTPError):
            return httpx.get(f"{running.url}/health/live").raise_for_status()
        time.sleep(0.05)
    raise SystemExit("the console did not start")
