"""From the sending of a tick to the last of 500 sockets that has it, over what a bare Channels consumer takes to broadcast
the same bytes: at most 3.

Both are real Daphne processes with 500 real websocket clients, measured in turns. Ours includes the whole way in: HTTP,
credential, redaction, the transaction. python -m tests.bench.fanout [sockets] [rounds]
"""

import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin

from agentconsole.protocol.ids import new_request_id, uuid7
from tests.bench.console import ROOT, Console, console
from tests.bench.run_page_ttfb import sign_in

LIMIT = 3.0
WARM_UP = 5
APART_S = 0.15  # longer than a topic's spacing: each tick is a frame of its own

Post = Callable[[], Coroutine[Any, Any, Any]]


def main(sockets: int, rounds: int) -> None:
    """Measure, print the ratio, and fail if it is above the limit."""
    with console() as ours, bare_channels() as bare_url:
        ours_s, bare_s = asyncio.run(measure(ours, sign_in(ours), bare_url, sockets, rounds))
    console_ms, bare_ms = (statistics.median(taken[WARM_UP:]) * 1000 for taken in (ours_s, bare_s))
    ratio = console_ms / bare_ms
    print(
        f"a tick to {sockets} sockets: bare Channels {bare_ms:.1f} ms, console {console_ms:.1f} ms, ratio {ratio:.2f}"
    )
    if ratio > LIMIT:
        raise SystemExit(f"a tick takes {ratio:.2f} times a bare broadcast; the limit is {LIMIT}")


async def measure(
    ours: Console, cookie: str, bare_url: str, sockets: int, rounds: int
) -> tuple[list[float], list[float]]:
    """Seconds of each round, the console's and the bare one's, in turns so that both see the same machine."""
    run_id = str(uuid7())
    taken: tuple[list[float], list[float]] = ([], [])
    async with httpx.AsyncClient(timeout=30) as http:

        async def ingest(item: dict[str, Any]) -> None:
            headers = {"Authorization": f"Bearer {ours.token}"}
            answer = await http.post(f"{ours.url}/api/v1/ingest", json={"items": [item]}, headers=headers)
            assert answer.json()["accepted"] == 1, answer.text

        await ingest(started(run_id))
        subscription = json.dumps({"subscribe": f"run:{run_id}", "after": 0})
        async with (
            crowd(ours.url, sockets, cookie=cookie, says=subscription) as watching,
            crowd(bare_url, sockets) as bare,
        ):
            await asyncio.gather(*(received(wire, b'"live"') for wire in watching))
            for number in range(WARM_UP + rounds):
                tick_s, text = await broadcast(watching, partial(ingest, tick(run_id)), b'"phase":"gather"')
                taken[0].append(tick_s)
                for wire in watching:
                    await wire.send(json.dumps({"ack": number + 3}))  # the log so far, the word "live", and the ticks
                await asyncio.sleep(APART_S)
                taken[1].append((await broadcast(bare, partial(http.post, bare_url, content=text), text))[0])
                await asyncio.sleep(APART_S)
    return taken


async def broadcast(crowd_of: list[ClientConnection], post: Post, marker: bytes) -> tuple[float, bytes]:
    """Seconds until the last socket has what a POST made the server send, and what that was."""
    waiting = [asyncio.create_task(received(wire, marker)) for wire in crowd_of]
    await asyncio.sleep(0)
    began = time.perf_counter()
    posting = asyncio.create_task(post())
    texts = await asyncio.gather(*waiting)
    took = time.perf_counter() - began
    await posting
    assert len(set(texts)) == 1
    return took, texts[0]


async def received(wire: ClientConnection, marker: bytes) -> bytes:
    """The next text that holds the marker."""
    while marker not in (text := await wire.recv(decode=False)):
        pass
    return text


@asynccontextmanager
async def crowd(url: str, sockets: int, *, cookie: str = "", says: str = "") -> AsyncIterator[list[ClientConnection]]:
    """So many open sockets, each of which has said its piece."""
    async with AsyncExitStack() as stack:
        wires = []
        for _ in range(sockets):
            socket_of = connect(
                url.rstrip("/").replace("http", "ws") + "/ws/live",
                origin=Origin(url.rstrip("/")),
                additional_headers={"Cookie": cookie},
            )
            wires.append(await stack.enter_async_context(socket_of))
            if says:
                await wires[-1].send(says)
        yield wires


@contextmanager
def bare_channels() -> Iterator[str]:
    """The bare consumer behind a Daphne of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "daphne", "-v", "0", "-p", str(port), "tests.bench.fanout_bare:application"]
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | {"LOG_LEVEL": "ERROR", "REDIS_URL": ""})
    try:
        deadline = time.monotonic() + 30
        while not is_up(f"http://127.0.0.1:{port}/") and time.monotonic() < deadline:
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.terminate()
        process.wait(20)


def is_up(url: str) -> bool:
    """Whether anything answers."""
    try:
        return httpx.get(url).is_success
    except httpx.TransportError:
        return False


def started(run_id: str) -> dict[str, Any]:
    """The run that is watched."""
    now = datetime.now(UTC).isoformat()
    return {"type": "run.started", "id": run_id, "at": now, "request_id": new_request_id(), "transport": "cli"}


def tick(run_id: str) -> dict[str, Any]:
    """A sign of life."""
    now = datetime.now(UTC).isoformat()
    return {"type": "tick", "id": str(uuid7()), "run": run_id, "at": now, "phase": "gather", "state": "alive"}


if __name__ == "__main__":
    main(*[int(argument) for argument in (sys.argv[1:] + ["500", "40"][len(sys.argv) - 1 :])])
