"""The parts of a console that can be broken: its processes, and the servers that it needs."""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psycopg

from tests.faults.clock import Clock
from tests.faults.proxy import Link
from tests.processes.running import ROOT, descendants_of, is_alive, wait_for
from tests.servers import OwnPostgres, OwnRedis, OwnServer

PASSWORD = "a password of this run"
OTHER_PASSWORD = "another password"
USER = "console"


def why_no_servers() -> str:
    """What is missing to run servers of our own; nothing if it can be done."""
    postgres = shutil.which("postgres") or any(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    missing = [] if postgres else ["postgresql"]
    missing += [] if shutil.which("redis-server") else ["redis-server"]
    return f"no server was found (on Debian: apt-get install {' '.join(missing)})" if missing else ""


class Part:
    """Something to be broken, with its wall clock, the folder whose disk it needs, and the links that lead to or from it."""

    def __init__(self, name: str, clock: Clock, folder: Path, links: Sequence[Link] = ()) -> None:
        self.name, self.clock, self.folder, self.links = name, clock, folder, list(links)

    def pids(self) -> list[int]:
        """Its process, and those below it; nothing while it does not run."""
        raise NotImplementedError

    def kill(self) -> None:
        """SIGKILL to its process."""
        raise NotImplementedError

    def terminate(self) -> None:
        """Ask it to end in order."""
        raise NotImplementedError

    def restart(self) -> None:
        """What a platform does with a process that has ended."""
        raise NotImplementedError


class Process(Part):
    """One process of a deployment."""

    def __init__(
        self,
        name: str,
        *,
        command: Sequence[str],
        env: Mapping[str, str],
        output: Path,
        clock: Clock,
        links: Sequence[Link],
        folder: Path,
    ) -> None:
        super().__init__(name, clock, folder, links)
        self._command, self._env, self._output = command, env, output
        self.process: subprocess.Popen[bytes] | None = None

    def restart(self) -> None:
        """Start it, unless it runs."""
        if self.process is not None:
            if self.process.poll() is None:
                return
            self._end_group()
        with self._output.open("ab") as output:
            self.process = subprocess.Popen(
                self._command, cwd=ROOT, env=dict(self._env), stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                start_new_session=True,
            )  # fmt: skip

    def pids(self) -> list[int]:
        """Its process, and those below it."""
        return [] if self.process is None else [self.process.pid, *sorted(descendants_of(self.process.pid))]

    def kill(self) -> None:
        """SIGKILL to its process alone, as the kernel does when memory runs out."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def terminate(self) -> None:
        """SIGTERM; it has as long as it takes."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)

    def end(self) -> None:
        """Leave nothing behind."""
        if self.process is not None:
            self._end_group()
            self.process.wait()

    def _end_group(self) -> None:
        assert self.process is not None
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)


class Child(Part):
    """A process that `manage.py console` runs: it starts again by itself."""

    def __init__(self, name: str, pid: Callable[[], int], clock: Clock, folder: Path) -> None:
        super().__init__(name, clock, folder)
        self._pid = pid
        self._was = 0

    def pids(self) -> list[int]:
        """Its process, and those below it."""
        pid = self._pid()
        return [pid, *sorted(descendants_of(pid))] if pid else []

    def kill(self) -> None:
        """SIGKILL."""
        self._signal(signal.SIGKILL)

    def terminate(self) -> None:
        """SIGTERM."""
        self._signal(signal.SIGTERM)

    def _signal(self, number: signal.Signals) -> None:
        self._was = self._pid()
        os.kill(self._was, number)

    def restart(self) -> None:
        """The supervisor's to do; wait until it has."""
        wait_for(f"{self.name} runs again", lambda: self._pid() not in (0, self._was) and is_alive(self._pid()))


class Server(Part):
    """A server, and the links that lead to it."""

    def __init__(self, name: str, server: OwnServer, clock: Clock) -> None:
        super().__init__(name, clock, server.folder)
        self.server = server

    def pids(self) -> list[int]:
        """Its process, and those below it."""
        process = self.server.process
        return [] if process is None else [process.pid, *sorted(descendants_of(process.pid))]

    def kill(self) -> None:
        """SIGKILL to all of it."""
        self.server.kill()

    def terminate(self) -> None:
        """In order: PostgreSQL by SIGINT, its fast shutdown, for SIGTERM waits for its clients to leave."""
        self.server.stop()

    def restart(self) -> None:
        """Start it, unless it runs."""
        if self.server.process is None or self.server.process.poll() is not None:
            self.server.start()


class FaultyRedis(OwnRedis):
    """Redis with a password, that keeps a snapshot on its disk once a second, on a clock of its own."""

    def __init__(self, clock: Clock) -> None:
        super().__init__("--requirepass", PASSWORD, "--save", "1 1")
        self.clock = clock

    def command(self) -> Sequence[str]:
        """What is run."""
        return ["env", *(f"{name}={value}" for name, value in self.clock.env.items()), *super().command()]

    def say(self, *command: str, password: str = PASSWORD) -> str:
        """What it answers to a command of its operator's."""
        import redis

        with redis.Redis(port=self.port, password=password) as client:
            return str(client.execute_command(*command))


class FaultyPostgres(OwnPostgres):
    """PostgreSQL whose console must show a password, that waits for its disk, on a clock of its own."""

    def __init__(self, clock: Clock) -> None:
        super().__init__("-c", "fsync=on", "-c", "max_wal_size=64MB", "-c", "min_wal_size=32MB")
        self.clock = clock

    def command(self) -> Sequence[str]:
        """What is run."""
        return ["env", *(f"{name}={value}" for name, value in self.clock.env.items()), *super().command()]

    def make_console_database(self) -> None:
        """A role with a password, and its database."""
        access = self._data / "pg_hba.conf"
        rules = access.read_text(encoding="utf-8")
        access.write_text(f"host all {USER} 127.0.0.1/32 scram-sha-256\n{rules}", encoding="utf-8")
        self.execute("SELECT pg_reload_conf()")
        self.execute(f"CREATE ROLE {USER} LOGIN PASSWORD '{PASSWORD}'")
        self.execute(f"CREATE DATABASE {USER} OWNER {USER}")

    def want_room(self) -> None:
        """Begin new segments of its log until one does not fit, as it would by itself when the ones that it has are full."""
        with suppress(psycopg.OperationalError):
            for _segment in range(20):
                self.execute("SELECT pg_logical_emit_message(true, 'room', 'for one more'); SELECT pg_switch_wal()")

    def send_away(self) -> None:
        """End all sessions of the console's."""
        self.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{USER}'")
