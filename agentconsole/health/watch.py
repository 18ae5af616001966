"""Renews the board's proofs in the background of a web process."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn, cast

from agentconsole.faults import fault_words
from agentconsole.health.board import Board, board
from agentconsole.health.proof import Component, NotProvenError, Proof
from agentconsole.logconf import get_logger

log = get_logger(__name__)

EVERY_S = 5
TIMEOUT_S = 4
# What is not proven is looked at more often: a start and a repair are seen sooner.
RETRY_S = 1


class Watch:
    """Checks every component of a board, each on its own clock.

    One that hangs is waited for in vain at most: its last proof outlives its lease, which is what the board then says.
    """

    def __init__(self, watched: Board = board, *, every_s: float = EVERY_S, timeout_s: float = TIMEOUT_S) -> None:
        self.board = watched
        self.every_s = every_s
        self.timeout_s = timeout_s
        # Threads of its own, one a component: a hung check can't take the thread of another, nor of a page.
        self._threads = ThreadPoolExecutor(len(watched.components), thread_name_prefix="health")
        self._running: dict[str, asyncio.Future[Proof]] = {}
        self._was = ""

    def start(self) -> None:
        """Begin, in the running event loop."""
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._keep_renewing(component)) for component in self.board.components]

    async def _keep_renewing(self, component: Component) -> NoReturn:
        while True:
            await self.renew(component)
            is_ok = self.board.report()["components"][component.name]["status"] == "ok"
            await asyncio.sleep(self.every_s if is_ok else min(self.every_s, RETRY_S))

    async def renew(self, component: Component) -> None:
        """Check one component once, put what came of it on the board, and log it if that changed the whole."""
        await self._check(component)
        self._tell_changes()

    async def _check(self, component: Component) -> None:
        try:
            proof = await self._prove(component)
        except TimeoutError:
            self.board.fail(component.name, f"no answer within {self.timeout_s:g} s")
        except NotProvenError as failure:
            self.board.fail(component.name, str(failure))
        except Exception as error:  # noqa: BLE001  whatever a dependency raises is this check's finding
            self.board.fail(component.name, fault_words(error))
        else:
            self.board.prove(component.name, proof)

    async def _prove(self, component: Component) -> Proof:
        """What the component's check finds. TimeoutError, and the check goes on, if it takes too long.

        It is not begun a second time while it hangs: each would take one thread more, in the end those of the others.
        """
        running = self._running.get(component.name)
        if running is None:
            running = self._running[component.name] = self._begin(component)
        # Not wait_for: it waits for its cancellation to be obeyed, and redis-py loses one now and then.
        await asyncio.wait({running}, timeout=self.timeout_s)
        if not running.done():
            if component.is_async:
                running.cancel()
            raise TimeoutError
        del self._running[component.name]
        if running.cancelled():
            raise TimeoutError
        return running.result()

    def _begin(self, component: Component) -> asyncio.Future[Proof]:
        loop = asyncio.get_running_loop()
        if component.is_async:
            return loop.create_task(cast(Callable[[], Coroutine[Any, Any, Proof]], component.check)())
        return loop.run_in_executor(self._threads, cast(Callable[[], Proof], component.check))

    def _tell_changes(self) -> None:
        report = self.board.report()
        if report["status"] != self._was == "ready":
            failing = {name: part["detail"] for name, part in report["components"].items() if part["status"] != "ok"}
            log.error("HEALTH_NOT_READY", status=report["status"], failing=failing)
        elif report["status"] == "ready" != self._was:
            log.info("HEALTH_READY")
        self._was = report["status"]
