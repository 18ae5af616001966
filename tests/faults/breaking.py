"""The ways to break a part. Each is broken inside of its `with`, and repaired as it ends."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from tests.faults import disk
from tests.faults.clock import why_no_clocks
from tests.faults.consoles import BreakableConsole
from tests.faults.parts import OTHER_PASSWORD, PASSWORD, USER, FaultyPostgres, FaultyRedis, Server, why_no_servers
from tests.processes.running import is_alive

# Four times what the leases are: evidence can't count by accident.
JUMP_S = 120
Fault = Callable[[BreakableConsole, str], AbstractContextManager[None]]


@contextmanager
def killed(console: BreakableConsole, name: str) -> Iterator[None]:
    """kill -9; the platform starts it again at the end."""
    console.parts[name].kill()
    yield
    console.parts[name].restart()


@contextmanager
def terminated(console: BreakableConsole, name: str) -> Iterator[None]:
    """An ordered end; the platform starts it again at the end."""
    console.parts[name].terminate()
    yield
    console.parts[name].restart()


@contextmanager
def stopped(console: BreakableConsole, name: str) -> Iterator[None]:
    """SIGSTOP: it keeps its connections and its memory, and does nothing."""
    pids = console.parts[name].pids()
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    yield
    for pid in filter(is_alive, pids):
        os.kill(pid, signal.SIGCONT)


@contextmanager
def cut_off(console: BreakableConsole, name: str) -> Iterator[None]:
    """No packet gets through on any of its links."""
    console.links.cut(*console.parts[name].links)
    yield
    console.links.mend(*console.parts[name].links)


@contextmanager
def disk_full(console: BreakableConsole, name: str) -> Iterator[None]:
    """Not a byte left on its disk; what has ended of it is started again once there is room."""
    folder = console.parts[name].folder
    disk.fill(folder)
    part = console.parts[name]
    if isinstance(part, Server) and isinstance(part.server, FaultyPostgres):
        part.server.want_room()
    yield
    disk.make_room(folder)
    if isinstance(part, Server):
        part.restart()


@contextmanager
def disk_slow(console: BreakableConsole, name: str) -> Iterator[None]:
    """Each write that waits for its disk waits longer than anybody should."""
    pids = console.parts[name].pids()
    with disk.slow_writes(pids):
        yield


@contextmanager
def link_slow(console: BreakableConsole, name: str) -> Iterator[None]:
    """Its answers come late."""
    for link in console.parts[name].links:
        link.delay_s = disk.SLOW_S
    yield
    console.links.mend(*console.parts[name].links)


def clock_moved(offset_s: int) -> Fault:
    """Its wall clock jumps, and jumps back at the end."""

    @contextmanager
    def moved(console: BreakableConsole, name: str) -> Iterator[None]:
        console.parts[name].clock.move(offset_s)
        yield
        console.parts[name].clock.move(0)

    return moved


@contextmanager
def password_wrong(console: BreakableConsole, name: str) -> Iterator[None]:
    """The server wants another password than the console has, and has thrown everybody out."""
    server = server_of(console, name)
    _set_password(server, PASSWORD, OTHER_PASSWORD)
    yield
    _set_password(server, OTHER_PASSWORD, PASSWORD)


def _set_password(server: FaultyPostgres | FaultyRedis, old: str, new: str) -> None:
    if isinstance(server, FaultyPostgres):
        server.execute(f"ALTER ROLE {USER} PASSWORD '{new}'")
        server.send_away()
    else:
        server.say("CONFIG", "SET", "requirepass", new, password=old)
        server.say("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes", password=new)
        server.say("CLIENT", "KILL", "TYPE", "pubsub", password=new)


@contextmanager
def read_only(console: BreakableConsole, name: str) -> Iterator[None]:
    """It answers, and takes no writes: PostgreSQL and Redis as after they were made a replica of another, SQLite's files as on a
    disk that was remounted."""
    if console.shape == "embedded":
        with disk.unwritable(sorted(console.setting.var.glob("console.sqlite3*"))):
            yield
        return
    server = server_of(console, name)
    _set_read_only(server, True)
    yield
    _set_read_only(server, False)


def _set_read_only(server: FaultyPostgres | FaultyRedis, is_so: bool) -> None:
    if isinstance(server, FaultyPostgres):
        server.execute(f"ALTER SYSTEM SET default_transaction_read_only = {'on' if is_so else 'off'}")
        server.execute("SELECT pg_reload_conf()")
    else:
        server.say("REPLICAOF", *(("127.0.0.1", "1") if is_so else ("NO", "ONE")))


def server_of(console: BreakableConsole, name: str) -> FaultyPostgres | FaultyRedis:
    """The server behind a part."""
    part = console.parts[name]
    assert isinstance(part, Server)
    assert isinstance(part.server, FaultyPostgres | FaultyRedis)
    return part.server


FAULTS: dict[str, Fault] = {
    "kill -9": killed,
    "SIGSTOP": stopped,
    "SIGTERM": terminated,
    "network cut": cut_off,
    "disk full": disk_full,
    "disk slow": disk_slow,
    "link slow": link_slow,
    "clock +120 s": clock_moved(JUMP_S),
    "clock -120 s": clock_moved(-JUMP_S),
    "wrong password": password_wrong,
    "read-only": read_only,
}


def why_not(fault: str, shape: str) -> str:
    """What this machine lacks for a fault; nothing if it can be brought about."""
    if shape == "distributed" and (reason := why_no_servers()):
        return reason
    if fault.startswith("clock"):
        return why_no_clocks()
    if fault == "disk full" or (fault == "read-only" and shape == "embedded"):
        return disk.why_no_disks()
    if fault == "disk slow":
        return disk.why_no_slow_disks()
    return ""
