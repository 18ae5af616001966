"""The doors in processes of their own, on the test's database."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.live.test_web_processes import variables_of_a_web_process
from tests.processes.running import ROOT, wait_for
from tests.servers import free_port


class Door(NamedTuple):
    """Where it is, and the process behind it."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.port}"

    @property
    def peak_mb(self) -> int:
        """The most memory that it ever held."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(status.partition("VmHWM:")[2].split()[0]) // 1024


def listens(port: int) -> bool:
    """Whether somebody takes connections there."""
    with socket.socket() as knock:
        return knock.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def door(command: str, *arguments: str, **variables: str) -> Iterator[Door]:
    """A management command that listens on `--port`."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "manage.py", command, "--port", str(port), *arguments],
        cwd=ROOT,
        env=variables_of_a_web_process(**variables),
    )
    try:
        wait_for(f"{command} listens", lambda: process.poll() is not None or listens(port))
        assert process.poll() is None
        yield Door(port, process)
    finally:
        process.kill()
        process.wait()


@contextmanager
def grpc_door(command: str) -> Iterator[Door]:
    """The door for gRPC as `make run` has it, in a web process; or in a process of its own, where that is the command."""
    if command != "serve":
        with door(command) as alone:
            yield alone
        return
    port = free_port()
    with door("serve", "--grpc-port", str(port)) as web:
        wait_for("the door for gRPC is open", lambda: listens(port))
        yield web._replace(port=port)
