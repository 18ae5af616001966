"""Single processes of a deployment, on servers of the test's own, to be killed and stopped one by one."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.processes.running import ROOT, parsed

CELERY = ["-m", "celery", "-A", "agentconsole"]
BEAT = [*CELERY, "beat"]
WORKER = [*CELERY, "worker", "--concurrency", "1", "--pool", "threads"]


class Part:
    """One process, and what it logged."""

    def __init__(self, name: str, command: list[str], env: Mapping[str, str], folder: Path, *fds: int) -> None:
        self.output = folder / f"{name}.out"
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, *command], cwd=ROOT, env=dict(env), stdout=output, stderr=output, pass_fds=fds
            )

    def events(self, token: str) -> list[dict[str, Any]]:
        """What it logged under a token."""
        lines = map(parsed, self.output.read_text(encoding="utf-8").splitlines())
        return [line for line in lines if line.get("event") == token]

    def send(self, number: signal.Signals) -> None:
        """Signal it."""
        os.kill(self.process.pid, number)

    def end(self) -> None:
        """Leave nothing behind."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


@contextmanager
def parts(folder: Path, env: Mapping[str, str]) -> Iterator[Any]:
    """A way to start parts by name; all of them are ended."""
    started: list[Part] = []

    def start(name: str, command: list[str], *fds: int) -> Part:
        started.append(Part(name, command, env, folder, *fds))
        return started[-1]

    try:
        yield start
    finally:
        for part in started:
            part.end()
