"""Where a soak takes place: a console of its own in one of the two shapes, and what can be measured of it from outside."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import redis

from tests.bench.resources import names_of, taken_by
from tests.bench.soak_load import Soaked
from tests.processes.deployment import deployment, sign_in
from tests.processes.running import RunningConsole, descendants_of, wait_for
from tests.servers import OwnPostgres, OwnRedis

PLENTY = "100000000"
# Doctor off, as in every console of the tests: what is measured is the load's.
VARIABLES = {"LOG_LEVEL": "ERROR", "INGEST_RATE": PLENTY, "AAP_RATE": PLENTY}


@dataclass
class Place:
    """A running console and its figures, each named by what it counts and its unit."""

    soaked: Soaked
    sample: Callable[[], dict[str, float]]


@contextmanager
def embedded(folder: Path) -> Iterator[Place]:
    """`manage.py console`."""
    for name in ("DATABASE_URL", "REDIS_URL"):
        os.environ.pop(name, None)
    running = RunningConsole(folder, **VARIABLES)
    try:
        running.start()
        wait_for("the console is ready", running.is_ready, within_s=90)
        token = running.manage("issue_credential", "dev", "soak", "soak-1").split()[-1]
        assert running.process is not None
        pids = [running.process.pid, *running.descendants()]
        yield Place(_soaked([running.url], running.password, token), lambda: _processes(pids))
    finally:
        running.end()


@contextmanager
def distributed(folder: Path) -> Iterator[Place]:
    """Two web processes, a worker and a beat; a Redis of its own, so that its figures are this console's."""
    with ExitStack() as stack:
        own_redis = stack.enter_context(OwnRedis())
        os.environ["REDIS_URL"] = own_redis.url
        if not os.environ.get("DATABASE_URL"):
            os.environ["DATABASE_URL"] = stack.enter_context(OwnPostgres()).url
        made = stack.enter_context(deployment(folder, **VARIABLES))
        database = stack.enter_context(psycopg.connect(made.setting.env["DATABASE_URL"], autocommit=True))
        broker = stack.enter_context(redis.Redis.from_url(own_redis.url))
        mains = [part.pid for part in made.parts]
        pids = [*mains, *(pid for main in mains for pid in descendants_of(main))]

        def sample() -> dict[str, float]:
            found = database.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
            (connections,) = found.fetchone() or (0,)
            return {
                **_processes(pids),
                "PostgreSQL connections": float(connections),
                "Redis connections": float(len(broker.client_list())),
                "Redis KB": broker.info("memory")["used_memory"] / 1024,
            }

        token = made.issue_credential("soak")
        yield Place(_soaked([web.url for web in made.webs], made.password, token), sample)


def _soaked(urls: list[str], password: str, token: str) -> Soaked:
    with closing(sign_in(urls[0], password)) as browser:
        return Soaked(urls, token, f"sessionid={browser.cookies['sessionid']}")


def _processes(pids: list[int]) -> dict[str, float]:
    """PSS of each role, and what all have open."""
    pss: dict[str, float] = {}
    for pid, name in names_of(pids).items():
        role = name.removesuffix("'s fork")
        pss[f"{role} MB"] = pss.get(f"{role} MB", 0) + taken_by([pid]).pss_mb
    return {**pss, "open files": float(taken_by(pids).files)}
