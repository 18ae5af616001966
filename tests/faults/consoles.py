"""A console to be broken, in each shape: its parts, its web processes, and the way past everything that is broken."""

import json
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast
from urllib.parse import quote

from tests.faults.clock import Clock
from tests.faults.disk import small_disk
from tests.faults.kept import Kept
from tests.faults.parts import PASSWORD, USER, Child, FaultyPostgres, FaultyRedis, Part, Process, Server
from tests.faults.proxy import Links
from tests.faults.watching import look_at
from tests.faults.work import Door, sign_in
from tests.processes.running import ROOT, RunningConsole, descendants_of, is_alive, wait_for
from tests.servers import free_port

NOT_INHERITED = ("DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL", "SECRET_KEY", "CREDENTIAL_KEY", "CONSOLE_ENV")
INSTANCE = "one"
WEB = ("web", "web two")
CELERY = {
    "worker": ["-m", "celery", "-A", "agentconsole", "worker", "--concurrency", "2"],
    "beat": ["-m", "celery", "-A", "agentconsole", "beat"],
}
RATES = {"INGEST_RATE": "1000000", "AAP_RATE": "1000000"}


@dataclass
class BreakableConsole:
    """A console whose parts can be broken one by one."""

    shape: str
    setting: RunningConsole
    parts: Mapping[str, Part]
    urls: Sequence[str]
    links: Links
    folder: Path
    door: Door

    def kept(self, runs: Sequence[str]) -> Kept:
        """What its database has of the work that went through the door."""
        command = [sys.executable, "-m", "tests.faults.kept", INSTANCE, *runs]
        done = subprocess.run(command, cwd=ROOT, env=self.setting.env, check=True, capture_output=True, text=True)
        return cast(Kept, json.loads(done.stdout.splitlines()[-1]))

    def main_pids(self) -> dict[str, int]:
        """The process of each part that runs."""
        found = {name: part.pids()[:1] for name, part in self.parts.items()}
        return {name: pids[0] for name, pids in found.items() if pids and is_alive(pids[0])}


@contextmanager
def embedded(folder: Path) -> Iterator[BreakableConsole]:
    """`manage.py console` on a small disk of its own; its processes share a clock, as on one machine."""
    folder.mkdir(parents=True)
    with ExitStack() as stack:
        links = stack.enter_context(Links())
        disk = stack.enter_context(small_disk(folder / "disk"))
        clock = Clock(folder, "machine")
        running = RunningConsole(disk, **RATES, **clock.env)
        running.output = folder / "console.out"
        running.env = {name: value for name, value in running.env.items() if name not in NOT_INHERITED}
        stack.callback(running.end)
        running.start()

        def beat() -> int:
            return next((pid for pid in sorted(descendants_of(running.child("worker"))) if is_alive(pid)), 0)

        pids = {
            "web": lambda: running.child("web"),
            "worker": lambda: running.child("worker"),
            "beat": beat,
            "machine": lambda: running.process.pid if running.process else 0,
        }
        parts: dict[str, Part] = {name: Child(name, pid, clock, running.var) for name, pid in pids.items()}
        door = _open_door(running, [running.url], running.password)
        yield BreakableConsole("embedded", running, parts, door.urls, links, folder, door)


@contextmanager
def distributed(folder: Path) -> Iterator[BreakableConsole]:
    """Two web processes, a worker and a beat on servers of their own. Each process has its own links, clock and disk."""
    folder.mkdir(parents=True)
    with ExitStack() as stack:
        links = stack.enter_context(Links())
        servers = _started_servers(folder, stack)
        setting = RunningConsole(folder)
        own = {"SECRET_KEY": secrets.token_urlsafe(48), "WEB_PROCESSES": "2", **RATES}
        direct = _addresses({name: server.server.port for name, server in servers.items()})
        setting.env = {name: value for name, value in setting.env.items() if name not in NOT_INHERITED} | own | direct
        setting.manage("migrate", "-v", "0")
        password = setting.manage("setup_console").split("Password:")[1].split()[0]
        ports = {name: free_port() for name in WEB}
        processes = {name: _process(name, ports, setting, servers, links, stack) for name in (*WEB, *CELERY)}
        for process in processes.values():
            process.restart()
        urls = [f"http://127.0.0.1:{port}" for port in ports.values()]
        wait_for("the web process answers", lambda: look_at(urls[0]).live, within_s=60)
        door = _open_door(setting, urls, password)
        yield BreakableConsole("distributed", setting, {**processes, **servers}, urls, links, folder, door)


def _open_door(setting: RunningConsole, urls: Sequence[str], password: str) -> Door:
    token = setting.manage("issue_credential", "dev", "faults", INSTANCE).split()[-1]
    return Door(urls, token, sign_in(urls[0], password))


def _started_servers(folder: Path, stack: ExitStack) -> dict[str, Server]:
    clocks = {name: Clock(folder, name) for name in ("PostgreSQL", "Redis", "broker")}
    postgres = FaultyPostgres(clocks["PostgreSQL"])
    own = {"PostgreSQL": postgres, "Redis": FaultyRedis(clocks["Redis"]), "broker": FaultyRedis(clocks["broker"])}
    for server in own.values():
        stack.enter_context(small_disk(server.folder))
        stack.enter_context(server)
    postgres.make_console_database()
    return {name: Server(name, server, clocks[name]) for name, server in own.items()}


def _process(  # noqa: PLR0917  each once
    name: str, ports: Mapping[str, int], setting: RunningConsole, servers: Mapping[str, Server], links: Links,
    stack: ExitStack,
) -> Process:  # fmt: skip
    """A process of a deployment, not started yet, with a link of its own to each server."""
    command = CELERY.get(name) or ["manage.py", "serve", "--port", str(ports[name])]
    own = {server: links.to(part.server.port) for server, part in servers.items()}
    for server, part in servers.items():
        part.links.append(own[server])
    file = setting.var.parent / name.replace(" ", "-")
    var, clock = stack.enter_context(small_disk(file)), Clock(file.parent, name)
    process = Process(
        name,
        command=[sys.executable, *command],
        env={
            **setting.env, **_addresses({server: link.port for server, link in own.items()}), **clock.env,
            "CONSOLE_VAR": str(var),
        },
        output=file.with_suffix(".out"),
        clock=clock,
        links=list(own.values()),
        folder=var,
    )  # fmt: skip
    stack.callback(process.end)
    return process


def _addresses(ports: Mapping[str, int]) -> dict[str, str]:
    """The variables that lead to servers at these ports."""
    password = quote(PASSWORD)
    return {
        "DATABASE_URL": f"postgres://{USER}:{password}@127.0.0.1:{ports['PostgreSQL']}/{USER}",
        "REDIS_URL": f"redis://:{password}@127.0.0.1:{ports['Redis']}/0",
        "CELERY_BROKER_URL": f"redis://:{password}@127.0.0.1:{ports['broker']}/0",
    }
