"""The soak's clients: batches at a steady rate, sockets that watch, polls that wait and people who decide."""

import asyncio
import itertools
import json
import random
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field

import httpx

from agentconsole.protocol.ids import uuid7
from tests.bench.approvals import Browser, found_in, time_now
from tests.bench.fanout import crowd, started, tick
from tests.bench.ingest_rate import items_of_run

RUNS_A_BATCH = 4
CONNECTIONS = 8
TICK_EVERY_S = 1.0
DECIDE_EVERY_S = 1.0
WAIT_S = 30


@dataclass
class Timings:
    """(when it was due, milliseconds until its answer) of each request of a kind, and what failed."""

    ingest: list[tuple[float, float]] = field(default_factory=list)
    decision: list[tuple[float, float]] = field(default_factory=list)
    items: int = 0
    failed: list[str] = field(default_factory=list)


@dataclass
class Soaked:
    """The console that is worked on: its web processes, an agent's credential, a signed-in browser's cookie."""

    urls: Sequence[str]
    token: str
    cookie: str

    @property
    def headers(self) -> dict[str, str]:
        """An agent's."""
        return {"Authorization": f"Bearer {self.token}"}

    def clients(self, count: int) -> list[httpx.AsyncClient]:
        """Agents' connections, the web processes in turns."""
        urls = itertools.islice(itertools.cycle(self.urls), count)
        return [httpx.AsyncClient(base_url=url, headers=self.headers, timeout=60) for url in urls]


def fresh_body(rng: random.Random) -> tuple[bytes, int]:
    """A batch of new runs, and how many items it has."""
    items = [item for _ in range(RUNS_A_BATCH) for item in items_of_run(rng)]
    return json.dumps({"items": items}).encode(), len(items)


async def post(client: httpx.AsyncClient, rng: random.Random, seen: Timings, due: float) -> None:
    """One batch, measured from when it was due: a server that lags is not asked less."""
    body, count = fresh_body(rng)
    try:
        answer = await client.post("/api/v1/ingest", content=body, headers={"Content-Type": "application/json"})
    except httpx.TransportError as error:
        seen.failed.append(type(error).__name__)
        return
    if answer.status_code != httpx.codes.OK or answer.json()["rejected"]:
        seen.failed.append(f"{answer.status_code} {answer.text[:80]}")
        return
    seen.items += count
    seen.ingest.append((due, (time.monotonic() - due) * 1000))


async def as_fast_as_it_goes(soaked: Soaked, connections: int, seconds: float) -> float:
    """Items a second that so many connections get in, one batch after the other."""
    seen, until = Timings(), time.monotonic() + seconds

    async def send(client: httpx.AsyncClient, seed: int) -> None:
        rng = random.Random(seed)
        while time.monotonic() < until:
            await post(client, rng, seen, time.monotonic())
        await client.aclose()

    began = time.monotonic()
    await asyncio.gather(*(send(client, seed) for seed, client in enumerate(soaked.clients(connections))))
    if seen.failed:
        raise SystemExit(f"refused during the ramp: {seen.failed[0]}")
    return seen.items / (time.monotonic() - began)


async def steadily(soaked: Soaked, items_s: float, seconds: float, seen: Timings) -> None:
    """Batches that are due at even distances, whatever became of those before."""
    apart_s = RUNS_A_BATCH * len(items_of_run(random.Random(1))) / items_s
    began = time.monotonic()
    numbers = itertools.count()

    async def send(client: httpx.AsyncClient, seed: int) -> None:
        rng = random.Random(seed)
        while (due := began + next(numbers) * apart_s) < began + seconds:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            await post(client, rng, seen, due)
        await client.aclose()

    await asyncio.gather(*(send(client, seed) for seed, client in enumerate(soaked.clients(CONNECTIONS))))


async def look_on(soaked: Soaked, sockets: int) -> None:
    """Open pages until cancelled: half of them show the list of runs, half one run that ticks."""
    run_id = str(uuid7())
    (agent,) = soaked.clients(1)
    (await agent.post("/api/v1/ingest", json={"items": [started(run_id)]})).raise_for_status()
    subscriptions = [{"subscribe": "runs:dev", "after": time_now()}, {"subscribe": f"run:{run_id}", "after": 0}]
    share = sockets // (len(subscriptions) * len(soaked.urls))
    async with AsyncExitStack() as stack:
        stack.push_async_callback(agent.aclose)
        browsers: list[Browser] = []
        for url, said in itertools.product(soaked.urls, subscriptions):
            crowd_of = crowd(url, share, cookie=soaked.cookie, says=json.dumps(said))
            browsers += map(Browser, await stack.enter_async_context(crowd_of))
        try:
            while not any(browser.reading.done() for browser in browsers):
                await agent.post("/api/v1/ingest", json={"items": [tick(run_id)]})
                await asyncio.sleep(TICK_EVERY_S)
            raise SystemExit("a socket was closed")
        finally:
            for browser in browsers:
                browser.reading.cancel()


async def wait_for_nobody(soaked: Soaked, polls: int) -> None:
    """Polls that wait for questions that nobody answers, one after the other until cancelled."""
    async with asyncio.TaskGroup() as group:
        for client in soaked.clients(polls):
            group.create_task(_wait_on(client))


async def _wait_on(client: httpx.AsyncClient) -> None:
    async with aclosing(client):
        action_id = await _ask(client)
        while True:
            await client.get(f"/api/aap/v1/requests/{action_id}?wait={WAIT_S}s")


async def _ask(client: httpx.AsyncClient) -> str:
    asked = {"tool": "restart", "arguments": {"service": "checkout", "n": str(uuid7())}, "timeout": "24h"}
    answer = await client.post("/api/aap/v1/requests", json=asked, headers={"Idempotency-Key": str(uuid7())})
    answer.raise_for_status()
    return str(answer.json()["id"])


async def decide_now_and_then(soaked: Soaked, seen: Timings) -> None:
    """A question, a poll that waits, a person's verdict, the poll's answer; until cancelled."""
    agent, browser = soaked.clients(2)
    browser.headers = httpx.Headers({"Cookie": soaked.cookie})
    async with aclosing(agent), aclosing(browser):
        while True:
            try:
                await _decide_one(agent, browser, seen)
            except* httpx.TransportError as errors:
                seen.failed += [f"decision {type(error).__name__}" for error in errors.exceptions]
            await asyncio.sleep(DECIDE_EVERY_S)


async def _decide_one(agent: httpx.AsyncClient, browser: httpx.AsyncClient, seen: Timings) -> None:
    action_id = await _ask(agent)
    async with asyncio.TaskGroup() as group:
        poll = group.create_task(agent.get(f"/api/aap/v1/requests/{action_id}?wait={WAIT_S}s"))
        began, status = await _approve(browser, action_id)
    answer = poll.result().json()
    if status != httpx.codes.FOUND or answer["status"] != "approved":
        seen.failed.append(f"decision {status}, {answer}")
        return
    seen.decision.append((began, (time.monotonic() - began) * 1000))


async def _approve(browser: httpx.AsyncClient, action_id: str) -> tuple[float, int]:
    """When the verdict was given, and the status of its answer."""
    page = (await browser.get(f"/approvals/{action_id}/")).text
    form = {name: found_in(page, name) for name in ("version", "presentation_digest", "csrfmiddlewaretoken")}
    token = f"csrftoken={form['csrfmiddlewaretoken']}"
    sent = {"Cookie": f"{browser.headers['Cookie']}; {token}", "Referer": str(browser.base_url)}
    began = time.monotonic()
    verdict = await browser.post(f"/approvals/{action_id}/decide", data={**form, "verdict": "approve"}, headers=sent)
    return began, verdict.status_code


def figures_of(points: Sequence[tuple[float, float]], since: float, until: float) -> list[float]:
    """The figures of what was due in that time."""
    return [figure for at, figure in points if since <= at < until]


def quantile(figures: Sequence[float], part: float) -> float:
    """The figure below which that part of them lies; 0 of none."""
    return sorted(figures)[min(int(part * len(figures)), len(figures) - 1)] if figures else 0.0
