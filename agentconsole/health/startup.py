"""Whether this process has ever been able to work: what `/health/startup` tells. Once it has, it stays so: readiness says the rest."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypedDict

from django.core.checks import run_checks
from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from agentconsole.faults import fault_words
from agentconsole.health.board import Board, board
from agentconsole.logconf import get_logger

log = get_logger(__name__)

LOOK_EVERY_S = 1.0
NAMED = 3
# Says what is still wrong, in words; nothing if all is well.
Look = Callable[[], str]


class StepReport(TypedDict):
    """One thing that a start needs. `status`: ok, or waiting, and for what."""

    status: str
    detail: str


class StartupReport(TypedDict):
    """The answer of `/health/startup`: `started` or `starting`, and how far it has come."""

    status: str
    steps: dict[str, StepReport]


def failing_checks() -> str:
    """The system checks that stop a process, by their ids."""
    return ", ".join(sorted({str(message.id) for message in run_checks() if message.is_serious()}))


def missing_migrations() -> str:
    """How many migrations of this release the database lacks, and the first of them."""
    try:
        executor = MigrationExecutor(connections["default"])
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    finally:
        connections.close_all()
    names = [f"{migration.app_label}.{migration.name}" for migration, _backwards in plan]
    return f"{len(names)} not applied: {', '.join(names[:NAMED])}" if names else ""


STEPS: dict[str, Look] = {"checks": failing_checks, "migrations": missing_migrations}


class Startup:
    """Looks at each step until it is done, in the background; the first proof of every critical component is the last one."""

    def __init__(self, watched: Board = board, steps: dict[str, Look] | None = None) -> None:
        self.board = watched
        self._looks = dict(STEPS if steps is None else steps)
        self._found: dict[str, StepReport] = {name: _waiting("not looked at yet") for name in self._looks}
        self._unproven = [component.name for component in watched.components if component.is_critical]
        self._done = asyncio.Event()
        # One thread of its own: a database that hangs holds up the start, and nothing else.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="startup")

    @property
    def is_done(self) -> bool:
        """Whether everything was seen in order once."""
        return not self._unproven and all(step["status"] == "ok" for step in self._found.values())

    def start(self) -> None:
        """Begin to look, in the running event loop."""
        self._task = asyncio.get_running_loop().create_task(self._look_until_done())

    async def _look_until_done(self) -> None:
        while not self.is_done:
            await self.look()
            await asyncio.sleep(0 if self.is_done else LOOK_EVERY_S)
        self._done.set()
        log.info("HEALTH_STARTED")

    async def done(self) -> None:
        """Wait for the end of the start."""
        await self._done.wait()

    async def look(self) -> None:
        """Look once at whatever is not done yet. As long as the looking takes, the answer is the one before."""
        for name in [name for name, step in self._found.items() if step["status"] != "ok"]:
            try:
                wrong = await asyncio.get_running_loop().run_in_executor(self._thread, self._looks[name])
            except Exception as error:  # noqa: BLE001  whatever a dependency raises is what is found
                wrong = fault_words(error)
            self._found[name] = _waiting(wrong) if wrong else {"status": "ok", "detail": ""}
        parts = self.board.report()["components"]
        self._unproven = [name for name in self._unproven if parts[name]["status"] != "ok"]

    def report(self) -> StartupReport:
        """How far the start has come. Costs nothing and can't hang."""
        proofs: StepReport = _waiting(", ".join(self._unproven)) if self._unproven else {"status": "ok", "detail": ""}
        status = "started" if self.is_done else "starting"
        return {"status": status, "steps": {**self._found, "first_proofs": proofs}}


def _waiting(detail: str) -> StepReport:
    return {"status": "waiting", "detail": detail}


startup = Startup()
