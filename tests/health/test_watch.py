"""The watch renews proof, and a check that fails or hangs is a finding, never an end to the watching."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from agentconsole.health.board import Board
from agentconsole.health.proof import Component, NotProvenError, Proof
from agentconsole.health.watch import Watch


def works() -> Proof:
    """A check that proves its part."""
    return Proof(timezone.now(), "works")


async def works_async() -> Proof:
    """A coroutine that does."""
    return works()


def unproven() -> Proof:
    """A check that finds something wrong."""
    raise NotProvenError("no fuel")


def breaks() -> Proof:
    """A check that breaks."""
    raise ConnectionRefusedError("nobody there")


@pytest.mark.parametrize(
    ("check", "status", "detail"),
    [
        (works, "ok", "works"),
        (works_async, "ok", "works"),
        (unproven, "failing", "no fuel"),
        (breaks, "failing", "ConnectionRefusedError: nobody there"),
    ],
)
async def test_what_a_check_finds_is_on_the_board(check: Any, status: str, detail: str):
    board = Board([Component("engine", "Engine", 20, check)])
    await Watch(board).renew(board.components[0])
    part = board.report()["components"]["engine"]
    assert (part["status"], part["detail"]) == (status, detail)


async def test_a_check_that_hangs_fails_and_holds_up_no_other():
    release = threading.Event()

    def hangs() -> Proof:
        release.wait()
        return works()

    board = Board([Component("stuck", "Stuck", 20, hangs), Component("engine", "Engine", 20, works)])
    watch = Watch(board, timeout_s=0.05)
    try:
        for component in board.components:
            await watch.renew(component)
        report = board.report()["components"]
        assert (report["stuck"]["status"], report["stuck"]["detail"]) == ("failing", "no answer within 0.05 s")
        assert report["engine"]["status"] == "ok"
    finally:
        release.set()


async def test_a_check_that_hangs_is_not_begun_again_and_counts_when_it_answers():
    release, begun = threading.Event(), []

    def hangs() -> Proof:
        begun.append(1)
        release.wait()
        return works()

    board = Board([Component("stuck", "Stuck", 20, hangs)])
    watch = Watch(board, timeout_s=0.05)
    try:
        for _ in range(3):
            await watch.renew(board.components[0])
        assert (len(begun), board.report()["components"]["stuck"]["status"]) == (1, "failing")
    finally:
        release.set()
    watch.timeout_s = 5
    await watch.renew(board.components[0])
    assert (len(begun), board.report()["components"]["stuck"]["status"]) == (1, "ok")


async def test_the_change_to_ready_and_back_is_told_once(logged: Callable[[str], list[dict[str, Any]]]):
    watch = Watch(Board([Component("engine", "Engine", 20, works)]))
    for check in (works, works, unproven, unproven, works):
        await watch.renew(Component("engine", "Engine", 20, check))
    assert len(logged("HEALTH_READY")) == 2
    assert [line["failing"] for line in logged("HEALTH_NOT_READY")] == [{"engine": "no fuel"}]
