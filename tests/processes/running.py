"""A console in real processes, for tests that watch it from outside."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import httpx

ROOT = Path(__file__).resolve().parents[2]
START_WITHIN_S = 60
Found = TypeVar("Found")


def wait_for(what: str, look: Callable[[], Found], *, within_s: float = 20) -> Found:
    """The first truthy answer of `look`. AssertionError, naming `what`, if there is none in time."""
    deadline = time.monotonic() + within_s
    while not (found := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {within_s:g} s")
        time.sleep(0.05)
    return found


def is_alive(pid: int) -> bool:
    """Whether a process of that id runs; a zombie does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


class RunningConsole:
    """`manage.py console` on a free port, with a folder and a database of its own."""

    def __init__(self, folder: Path, **env: str) -> None:
        self.var = folder / "var"
        self.output = folder / "console.out"
        own = {"CONSOLE_VAR": str(self.var), "LOG_FORMAT": "json", "DOCTOR_ENABLED": "off", "INGEST_RATE": "1000000"}
        own["OTLP_GRPC_PORT"] = "off"  # of these, several run at once
        inherited = {name: value for name, value in os.environ.items() if name not in ("CONSOLE_URL", "LOG_FILE")}
        self.env: Mapping[str, str] = inherited | own | env
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, port: int = 0) -> None:
        """Start it, and wait until it has said where it is."""
        self.launch(port)
        wait_for("the console is up", self._is_settled, within_s=START_WITHIN_S)
        assert self.url, self.text

    def launch(self, port: int = 0) -> None:
        """Start it."""
        command = [sys.executable, "manage.py", "console", "--port", str(port)]
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=self.env, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
            )

    def manage(self, *command: str) -> str:
        """What a management command prints, run beside the console."""
        done = subprocess.run(
            [sys.executable, "manage.py", *command], cwd=ROOT, env=self.env, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def _is_settled(self) -> bool:
        assert self.process is not None
        return bool(self.url) or self.process.poll() is not None

    @property
    def text(self) -> str:
        """All that it printed."""
        return self.output.read_text(encoding="utf-8")

    @property
    def url(self) -> str:
        """Where it said it is."""
        found = re.search(r"Agent Console is at (\S+)", self.text)
        return found[1] if found else ""

    @property
    def password(self) -> str:
        """The first admin's password, as printed."""
        found = re.search(r"Password:\s+(\S+)", self.text)
        return found[1] if found else ""

    def events(self, token: str) -> list[dict[str, Any]]:
        """What it and its children logged under a token."""
        return [line for line in map(parsed, self.text.splitlines()) if line.get("event") == token]

    def logged(self, token: str) -> list[dict[str, Any]]:
        """What is in the log files under a token: also of processes below the children."""
        files = sorted((self.var / "logs").iterdir())
        lines = (line for file in files for line in file.read_text(encoding="utf-8").splitlines() if token in line)
        return [line for line in map(parsed, lines) if line.get("event") == token]

    def child(self, name: str) -> int:
        """The process id of the child that runs now."""
        return int([event["pid"] for event in self.events("CHILD_STARTED") if event["child"] == name][-1])

    def descendants(self) -> set[int]:
        """The process ids of its children and their children."""
        assert self.process is not None
        return descendants_of(self.process.pid)

    def get(self, path: str) -> httpx.Response:
        """A page or a probe."""
        return httpx.get(self.url + path, timeout=10)

    def is_ready(self) -> bool:
        """Whether the probe says so."""
        try:
            return self.get("/health/ready").status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def stop(self, number: signal.Signals = signal.SIGINT, *, within_s: float = 45) -> int:
        """Signal it and wait; its exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(within_s)

    def end(self) -> None:
        """Leave nothing behind, whatever state it is in."""
        if self.process is None:
            return
        left = self.descendants()
        self.process.kill()
        self.process.wait()
        for pid in left:
            if is_alive(pid):
                os.kill(pid, signal.SIGKILL)


def parsed(line: str) -> dict[str, Any]:
    """A line of JSON; nothing if it is none."""
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def descendants_of(pid: int) -> set[int]:
    """Every process below `pid`."""
    listed = subprocess.run(["ps", "-e", "-o", "pid=,ppid="], check=True, capture_output=True, text=True).stdout
    parents = {int(child): int(parent) for child, parent in (line.split() for line in listed.splitlines())}
    found: set[int] = set()
    while new := {child for child, parent in parents.items() if parent in found | {pid}} - found:
        found |= new
    return found
