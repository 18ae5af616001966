"""A web process keeps its hub, so that its health can be proven: by a pass that came to its end, reading included."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from agentconsole import live
from agentconsole.live import hub as hubs


@pytest.fixture
async def kept(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[int]]:
    """A kept hub that passes every few milliseconds, and how often it has read."""
    reads: list[int] = []
    monkeypatch.setattr(hubs, "POLL_EVERY_S", 0.005)
    monkeypatch.setattr(hubs, "_read_one", lambda: reads.append(1))
    live.keep_hub()
    yield reads
    await live.end_hub()
    assert asyncio.get_running_loop() not in hubs._hubs


async def until(happened: Callable[[], Any]) -> None:
    """Wait for the hub, not for the clock."""
    async with asyncio.timeout(5):
        while not happened():  # noqa: ASYNC110  a hub tells nobody of its passes
            await asyncio.sleep(0.005)


async def test_it_passes_and_reads_without_a_socket(kept: list[int]):
    assert live.last_pass() is None
    await until(lambda: len(kept) > 1)
    first = live.last_pass()
    assert first is not None
    assert (first.sockets, first.topics) == (0, 0)
    await until(lambda: live.last_pass() != first)


async def test_it_outlives_its_last_socket(kept: list[int]):
    async def ignore(_sent: object) -> None: ...

    socket = live.Socket(ignore, ignore)
    live.running_hub().join(socket)
    await live.running_hub().leave(socket)
    assert live.running_hub().is_kept


async def test_a_read_that_hangs_is_no_pass(kept: list[int], monkeypatch: pytest.MonkeyPatch):
    release, reading = threading.Event(), threading.Event()

    def hang() -> None:
        reading.set()
        release.wait()

    await until(live.last_pass)
    monkeypatch.setattr(hubs, "_read_one", hang)
    try:
        await until(reading.is_set)
        stuck = live.last_pass()
        await asyncio.sleep(0.05)
        assert live.last_pass() is stuck
    finally:
        release.set()


async def test_a_read_that_fails_is_no_pass_and_is_told_once(
    kept: list[int], monkeypatch: pytest.MonkeyPatch, logged: Callable[[str], list[dict[str, Any]]]
):
    tries: list[int] = []

    def fail() -> None:
        tries.append(1)
        raise ConnectionError

    await until(live.last_pass)
    monkeypatch.setattr(hubs, "_read_one", fail)
    await until(lambda: len(tries) == 1)
    stuck = live.last_pass()
    await until(lambda: len(tries) > 3)
    assert live.last_pass() is stuck
    assert len(logged("LIVE_READ_FAILED")) == 1
    monkeypatch.setattr(hubs, "_read_one", lambda: None)
    await until(lambda: live.last_pass() is not stuck)


async def test_a_loop_without_a_hub_has_made_no_pass():
    assert live.last_pass() is None
