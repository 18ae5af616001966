"""What a page shows after any frames is what a fresh page shows: no row missing, none doubled, none out of date."""

import asyncio
import random
import uuid
from typing import Any

import pytest
from channels.db import database_sync_to_async
from channels.layers import InMemoryChannelLayer
from django.test import Client

from agentconsole.live import hub as hubs
from runs import live_topics
from runs.models import Run
from tests.cast import AgentCaller
from tests.live.busy_run import Shown, busy_run, ingest, snapshot
from tests.live.conftest import Browser, browser

pytestmark = pytest.mark.django_db(transaction=True)

ingest_soon = database_sync_to_async(ingest)
snapshot_soon = database_sync_to_async(snapshot)


class DeafLayer(InMemoryChannelLayer):
    """Takes every message and delivers none."""

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        pass


async def follow(page: Browser, shown: Shown, topic: str, *, until_seq: int | None = None, frames: int = 10**6) -> None:
    """Apply frames until the page shows `until_seq`, or so many frames were applied."""
    while frames and (until_seq is None or shown.seq < until_seq):
        frame = await page.receive_until(lambda message: "seq" in message)
        assert frame["topic"] == topic
        shown.apply(frame)
        frames -= 1


def same(one: Shown, other: Shown) -> bool:
    return (one.seq, one.run, one.rows) == (other.seq, other.run, other.rows)


async def feed(agent: AgentCaller, batches: list[list[dict[str, Any]]]) -> None:
    for batch in batches:
        await ingest_soon(agent, batch)


async def last_seq(run_id: uuid.UUID) -> int:
    return (await Run.objects.aget(id=run_id)).seq


async def watch_busy_run(agent: AgentCaller, run_id: uuid.UUID, client: Client, seed: int) -> None:
    batches = busy_run(run_id, random.Random(seed))
    await feed(agent, batches[:10])
    shown = await snapshot_soon(run_id)
    async with browser(client) as page:
        await page.subscribe(f"run:{run_id}", shown.seq)
        feeding = asyncio.create_task(feed(agent, batches[10:]))
        await follow(page, shown, f"run:{run_id}", frames=1)
        await feeding
        await follow(page, shown, f"run:{run_id}", until_seq=await last_seq(run_id))
    assert same(shown, await snapshot_soon(run_id))
    assert shown.run is not None
    assert shown.run["status"] == "succeeded"


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_a_page_that_is_watched_throughout(agent, run_id, signed_in, seed: int) -> None:
    await watch_busy_run(agent, run_id, signed_in, seed)


async def test_a_channel_layer_that_loses_every_message(agent, run_id, signed_in, settings, monkeypatch) -> None:
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": f"{__name__}.DeafLayer"}}
    monkeypatch.setattr(hubs, "POLL_EVERY_S", 0.05)
    await watch_busy_run(agent, run_id, signed_in, seed=4)


@pytest.mark.parametrize("page_rows", [3, 500])
async def test_a_browser_that_was_away_in_the_middle(agent, run_id, signed_in, monkeypatch, page_rows: int) -> None:
    monkeypatch.setattr(live_topics, "PAGE_ROWS", page_rows)
    batches, shown, topic = busy_run(run_id, random.Random(5)), Shown(), f"run:{run_id}"
    await feed(agent, batches[:5])
    async with browser(signed_in) as stays:
        seen = Shown()
        await stays.subscribe(topic, 0)
        async with browser(signed_in) as page:
            await page.subscribe(topic, 0)
            feeding = asyncio.create_task(feed(agent, batches[5:30]))
            await follow(page, shown, topic, frames=2)
        await feeding
        async with browser(signed_in) as page:
            await page.subscribe(topic, shown.seq)
            feeding = asyncio.create_task(feed(agent, batches[30:]))
            await follow(page, shown, topic, frames=1)
            await feeding
            await follow(page, shown, topic, until_seq=await last_seq(run_id))
        await follow(stays, seen, topic, until_seq=shown.seq)
    fresh = await snapshot_soon(run_id)
    assert same(shown, fresh)
    assert same(seen, fresh)


async def test_a_page_with_more_bytes_than_a_frame_takes_comes_in_several(
    agent, run_id, signed_in, monkeypatch
) -> None:
    monkeypatch.setattr(live_topics, "PAGE_BYTES", 2_000)
    batches, shown = busy_run(run_id, random.Random(6)), Shown()
    await feed(agent, batches)
    async with browser(signed_in) as page:
        await page.subscribe(f"run:{run_id}", 0)
        await follow(page, shown, f"run:{run_id}", until_seq=await last_seq(run_id))
        assert len(page.frames) > 10
    assert same(shown, await snapshot_soon(run_id))


async def test_after_the_last_seq_there_is_nothing_but_the_word_that_it_is_live(agent, run_id, signed_in) -> None:
    await feed(agent, busy_run(run_id, random.Random(7)))
    seq = await last_seq(run_id)
    async with browser(signed_in) as page:
        await page.subscribe(f"run:{run_id}", seq)
        assert await page.receive() == {"topic": f"run:{run_id}", "live": seq}
