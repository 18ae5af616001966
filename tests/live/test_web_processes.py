"""Two real web processes on one database and one Redis: what is stored through one is seen live through the other."""

import asyncio
import json
import os
import random
import re
import socket
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from typing import Any

import httpx
import pytest
from channels.db import database_sync_to_async
from django.conf import settings
from django.db import connection
from django.test import Client
from websockets.asyncio.client import connect
from websockets.typing import Origin

from runs.models import Run
from tests.ingest.items import event, new_run, run_started
from tests.live.busy_run import Shown, busy_run, snapshot
from tests.processes.running import ROOT, wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

PATIENCE_S = 30


def database_url() -> str:
    """The test database's own URL."""
    if connection.vendor == "sqlite":
        return f"sqlite:///{connection.settings_dict['NAME']}"
    return settings.DATABASE_URL.rpartition("/")[0] + f"/{connection.settings_dict['NAME']}"


def variables_of_a_web_process(**more: str) -> dict[str, str]:
    """The environment that leads a web process to the test database and its keys."""
    own = {"CONSOLE_VAR": str(settings.VAR_DIR), "SECRET_KEY": settings.SECRET_KEY, "LOG_LEVEL": "WARNING"}
    return os.environ | own | {"DATABASE_URL": database_url(), **more}


@contextmanager
def web_process(**variables: str) -> Iterator[str]:
    """A web process on the test database; its URL."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
    command = [sys.executable, "manage.py", "serve", "--port", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, env=variables_of_a_web_process(**variables))
    try:
        url = f"http://127.0.0.1:{port}"
        wait_for("the web process is up", lambda: answers(f"{url}/health/live"))
        yield url
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


def answers(url: str) -> bool:
    try:
        return httpx.get(url).is_success
    except httpx.TransportError:
        return False


class Page:
    """A browser's socket to a real process."""

    def __init__(self, wire: Any) -> None:
        self.wire = wire
        self.frames = 0

    async def follow(self, shown: Shown, until_seq: int) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while shown.seq < until_seq:
                frame = json.loads(await self.wire.recv())
                self.frames += 1
                await self.wire.send(json.dumps({"ack": self.frames}))
                if "seq" in frame:
                    shown.apply(frame)

    async def sizes(self, until_seq: int) -> list[int]:
        """The lengths of the frames up to a seq."""
        found, seq = [], 0
        async with asyncio.timeout(PATIENCE_S):
            while seq < until_seq:
                text = await self.wire.recv()
                found.append(len(text))
                self.frames += 1
                await self.wire.send(json.dumps({"ack": self.frames}))
                seq = json.loads(text).get("seq", seq)
        return found


@asynccontextmanager
async def page(url: str, client: Client, topic: str, after: int) -> AsyncIterator[Page]:
    cookie = {"Cookie": f"sessionid={client.cookies['sessionid'].value}"}
    async with connect(url.replace("http", "ws") + "/ws/live", origin=Origin(url), additional_headers=cookie) as wire:
        await wire.send(json.dumps({"subscribe": topic, "after": after}))
        yield Page(wire)


async def deliver(url: str, token: str, batches: list[list[dict[str, Any]]]) -> int:
    """Store batches through a web process; the seq that the run has then."""
    async with httpx.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {token}"}) as door:
        for batch in batches:
            answer = await door.post("/api/v1/ingest", json={"items": batch})
            assert answer.status_code == 200, answer.text
    run = await Run.objects.order_by("-received_at").afirst()
    assert run is not None
    return run.seq


async def watch(writes_to: str, watches: str, token: str, client: Client, run_id: uuid.UUID) -> None:
    """A page that watches one process, is away for a while, and comes back, while another process writes."""
    batches, shown, topic = busy_run(run_id, random.Random(8)), Shown(), f"run:{run_id}"
    seq = await deliver(writes_to, token, batches[:3])
    async with page(watches, client, topic, 0) as first:
        await first.follow(shown, seq)
        await first.follow(shown, await deliver(writes_to, token, batches[3:15]))
    await deliver(writes_to, token, batches[15:25])
    async with page(watches, client, topic, shown.seq) as second:
        writing = asyncio.create_task(deliver(writes_to, token, batches[25:]))
        await second.follow(shown, await writing)
    fresh = await database_sync_to_async(snapshot)(run_id)
    assert (shown.seq, shown.run, shown.rows) == (fresh.seq, fresh.run, fresh.rows)


async def test_a_page_follows_a_run_through_one_process(agent, signed_in, run_id) -> None:
    with web_process() as url:
        await watch(url, url, agent.token, signed_in, run_id)


@pytest.mark.redis
async def test_a_page_on_one_process_follows_what_the_other_stores(agent, signed_in, run_id) -> None:
    with ExitStack() as stack:
        one, other = (stack.enter_context(web_process(WEB_PROCESSES="2")) for _ in range(2))
        await watch(one, other, agent.token, signed_in, run_id)
        async with page(other, signed_in, f"run:{run_id}", 0) as late:
            shown = Shown()
            await late.follow(shown, (await Run.objects.aget(id=run_id)).seq)


@pytest.mark.redis
async def test_two_processes_without_a_word_between_them_differ_by_a_poll_at_most(agent, signed_in, run_id) -> None:
    """Each with a Redis database of its own: every hint is lost."""
    base = re.sub(r"/\d+$", "", settings.REDIS_URL.rstrip("/"))
    with ExitStack() as stack:
        one, other = (stack.enter_context(web_process(REDIS_URL=f"{base}/{number}")) for number in (14, 15))
        await watch(one, other, agent.token, signed_in, run_id)


async def test_a_frame_of_many_rows_arrives_and_the_socket_goes_on(agent, signed_in) -> None:
    run = new_run()
    rows = [[run_started(run)], *[[event(run, message="x" * 400) for _ in range(100)] for _ in range(4)]]
    with web_process() as url:
        seq = await deliver(url, agent.token, rows)
        async with page(url, signed_in, f"run:{run}", 0) as opened:
            sizes = await opened.sizes(until_seq=seq)
            assert max(sizes) > 2 * 64 * 1024
            seq = await deliver(url, agent.token, [[event(run)]])
            assert await opened.sizes(until_seq=seq)
