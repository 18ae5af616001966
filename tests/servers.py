"""Redis and PostgreSQL servers of a test's own, to be killed, paused and started again on the same port and folder."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
import pytest

from tests.processes.running import descendants_of, is_alive, wait_for

START_WITHIN_S = 30


def free_port() -> int:
    """A TCP port of this machine that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


class OwnServer:
    """A server on 127.0.0.1 that keeps its port and its folder whatever becomes of its process. `with` starts and ends it."""

    name = "server"

    def __init__(self) -> None:
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix=f"own-{self.name}-"))
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def command(self) -> Sequence[str]:
        """What is run."""
        raise NotImplementedError

    def answers(self) -> bool:
        """Whether it can be worked with."""
        raise NotImplementedError

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command(), cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        wait_for(f"{self.name} answers on {self.port}", self._is_settled, within_s=START_WITHIN_S)
        assert self.process.poll() is None, (self.folder / "log").read_text(encoding="utf-8")

    def _is_settled(self) -> bool:
        assert self.process is not None
        return self.process.poll() is not None or self.answers()

    def stop(self) -> None:
        """Let it end in order: its clients are sent away at once."""
        self._signal_own(signal.SIGTERM)
        self._wait()

    def kill(self) -> None:
        """kill -9, with all that it started. Nothing happens if it does not run."""
        left = self._pids()
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._wait()
        wait_for(f"{self.name} is gone", lambda: not any(map(is_alive, left)))

    def pause(self) -> None:
        """SIGSTOP: it keeps its connections and answers nobody."""
        for pid in self._pids():
            os.kill(pid, signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT after `pause`."""
        for pid in self._pids():
            os.kill(pid, signal.SIGCONT)

    def _signal_own(self, number: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(number)

    def _wait(self) -> None:
        if self.process is not None:
            self.process.wait(START_WITHIN_S)
            self.process = None

    def _pids(self) -> list[int]:
        if self.process is None:
            return []
        # Parents first: one that is stopped starts nobody anew.
        return [self.process.pid, *descendants_of(self.process.pid)]


class OwnRedis(OwnServer):
    """redis-server, which forgets everything when it ends. `options` as in its configuration file: `("--requirepass", "…")`.

    With `tls` (the files of a certificate and its key) it speaks nothing else.
    """

    name = "redis"

    def __init__(self, *options: str, tls: tuple[Path, Path] | None = None) -> None:
        super().__init__()
        self.options = options
        self.tls = tls

    @property
    def url(self) -> str:
        """Where it is, without a password."""
        return f"redis{'s' if self.tls else ''}://127.0.0.1:{self.port}"

    def command(self) -> Sequence[str]:
        """What is run."""
        program = shutil.which("redis-server") or pytest.skip("no redis-server was found")
        doors = ["--port", str(self.port)]
        if self.tls:
            certificate, key = map(str, self.tls)
            doors = ["--port", "0", "--tls-port", str(self.port), "--tls-auth-clients", "no"]
            doors += ["--tls-cert-file", certificate, "--tls-key-file", key, "--tls-ca-cert-file", certificate]
        kept = ["--bind", "127.0.0.1", "--save", "", "--dir", str(self.folder), "--loglevel", "warning"]
        return [program, *doors, *kept, *self.options]

    def answers(self) -> bool:
        """Whether it listens: it does so when it can work."""
        with socket.socket() as knock:
            return knock.connect_ex(("127.0.0.1", self.port)) == 0


class OwnPostgres(OwnServer):
    """PostgreSQL, trusting this machine; the user is `root`. `options` as on its command line: `("-c", "ssl=on")`."""

    name = "postgres"

    def __init__(self, *options: str) -> None:
        super().__init__()
        self.options = options
        self._is_made = False

    @property
    def url(self) -> str:
        """The address of its first database."""
        return f"postgres://root@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Start it, and wait until it answers; the first time, make its files."""
        if not self._is_made:
            self._make()
        super().start()

    def stop(self) -> None:
        """Fast: clients are sent away, what is committed is kept."""
        self._signal_own(signal.SIGINT)
        self._wait()

    def command(self) -> Sequence[str]:
        """What is run. Without fsync: it has to survive kills, not power cuts."""
        doors = ["-h", "127.0.0.1", "-p", str(self.port), "-k", ""]
        return [*_as_postgres(), _program("postgres"), "-D", str(self._data), *doors, "-F", *self.options]

    def answers(self) -> bool:
        """Whether it takes connections: it listens before it has recovered."""
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def execute(self, statement: str) -> list[tuple[object, ...]]:
        """The rows that a statement gives, run beside everybody else."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _make(self) -> None:
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres")
        made = [_program("initdb"), "-D", str(self._data), "--username", "root", "--auth", "trust", "--no-sync"]
        subprocess.run([*_as_postgres(), *made], cwd=self.folder, check=True, stdout=subprocess.DEVNULL)
        self._is_made = True


def _program(name: str) -> str:
    """The newest PostgreSQL's program of that name."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]))
    where = str(found[-1]) if found else shutil.which(name)
    return where or pytest.skip(f"no PostgreSQL server (`{name}`) was found")


def _as_postgres() -> list[str]:
    """PostgreSQL refuses to run as root."""
    return ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups"] if os.geteuid() == 0 else []
