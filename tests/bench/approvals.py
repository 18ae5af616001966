"""Ask → visible in open browsers, and decision → waiting poll answered, over what bare Channels takes to bring as many bytes
from a POST to as many sockets: at most 3, at the median.

500 actions are pending and 100 browsers are open, in each of the two servers, which are measured in turns. Ours includes the whole
way: credential, policy, the transaction with its audit entry, the drawing of the row. python -m tests.bench.approvals
"""

import asyncio
import json
import re
import statistics
import sys
import time
import uuid
from datetime import UTC, datetime
from functools import partial

import httpx
from websockets.asyncio.client import ClientConnection

from tests.bench.console import Console, console
from tests.bench.fanout import Post, bare_channels, broadcast, crowd
from tests.bench.run_page_ttfb import sign_in

LIMIT = 3.0
WARM_UP = 5
APART_S = 0.6  # longer than a list's spacing: each question is a frame of its own
PENDING = 500
SETTLED_S = 11  # what is older is not told again to who comes


def main(sockets: int, rounds: int) -> None:
    """Measure, print the ratios, and fail if one is above the limit."""
    with console(AAP_RATE="1000000") as ours, bare_channels() as bare_url:
        taken = asyncio.run(measure(ours, sign_in(ours), bare_url, sockets, rounds))
    ask_ms, answer_ms, bare_ms = (statistics.median(one[WARM_UP:]) * 1000 for one in taken)
    print(
        f"{PENDING} pending, {sockets} browsers: bare Channels {bare_ms:.1f} ms; question to the last browser {ask_ms:.1f} ms,"
        f" ratio {ask_ms / bare_ms:.2f}; decision to the answered poll {answer_ms:.1f} ms, ratio {answer_ms / bare_ms:.2f}"
    )
    if max(ask_ms, answer_ms) / bare_ms > LIMIT:
        raise SystemExit(f"above {LIMIT} times a bare round trip")


async def measure(
    ours: Console, cookie: str, bare_url: str, sockets: int, rounds: int
) -> tuple[list[float], list[float], list[float]]:
    """Seconds of each round: question to browsers, decision to poll, the bare round trip."""
    asked_s: list[float] = []
    answered_s: list[float] = []
    bare_s: list[float] = []
    async with httpx.AsyncClient(timeout=40) as http:
        for number in range(PENDING):
            await ask(http, ours, number)
        await asyncio.sleep(SETTLED_S)
        subscription = json.dumps({"subscribe": "approvals:dev", "after": time_now()})
        async with (
            crowd(ours.url, sockets, cookie=cookie, says=subscription) as open_sockets,
            crowd(bare_url, sockets) as bare,
        ):
            browsers = [Browser(wire) for wire in open_sockets]
            await asyncio.gather(*(browser.has(b'"live"') for browser in browsers))
            for number in range(WARM_UP + rounds):
                mark = f"bench_{number}_"
                took, frame = await asked(browsers, partial(ask, http, ours, mark), mark.encode())
                asked_s.append(took)
                answered_s.append(await decided(http, ours, cookie, action_in(frame, mark)))
                await asyncio.sleep(APART_S)
                bare_s.append((await broadcast(bare, partial(http.post, bare_url, content=frame), frame))[0])
                await asyncio.sleep(APART_S)
            for browser in browsers:
                browser.reading.cancel()
    return asked_s, answered_s, bare_s


async def ask(http: httpx.AsyncClient, ours: Console, mark: object) -> None:
    """One question."""
    headers = {"Authorization": f"Bearer {ours.token}", "Idempotency-Key": str(uuid.uuid4())}
    body = {"tool": f"restart_{mark}", "arguments": {"service": "checkout", "grace_s": 30}, "timeout": "24h"}
    answer = await http.post(f"{ours.url}/api/aap/v1/requests", json=body, headers=headers)
    assert answer.status_code == httpx.codes.CREATED, answer.text


class Browser:
    """One open socket that reads and acknowledges, as a page does."""

    def __init__(self, wire: ClientConnection) -> None:
        self.wire = wire
        self.frames = 0
        self.awaited: tuple[bytes, asyncio.Future[bytes]] | None = None
        self.reading = asyncio.create_task(self._read())

    def has(self, marker: bytes) -> asyncio.Future[bytes]:
        """The next text that holds the marker."""
        self.awaited = marker, asyncio.get_running_loop().create_future()
        return self.awaited[1]

    async def _read(self) -> None:
        while True:
            text = await self.wire.recv(decode=False)
            if self.awaited and self.awaited[0] in text and not self.awaited[1].done():
                self.awaited[1].set_result(text)
            if b'"topic"' in text:
                self.frames += 1
                await self.wire.send(json.dumps({"ack": self.frames}))


async def asked(browsers: list[Browser], post: Post, marker: bytes) -> tuple[float, bytes]:
    """Seconds until the last browser has what a question made the server send, and what that was."""
    waiting = [browser.has(marker) for browser in browsers]
    began = time.perf_counter()
    posting = asyncio.create_task(post())
    texts = await asyncio.gather(*waiting)
    took = time.perf_counter() - began
    await posting
    return took, texts[0]


def action_in(frame: bytes, mark: str) -> str:
    """The id of the action that a frame tells of."""
    return next(str(one["id"]) for one in json.loads(frame)["actions"] if mark in one["row"])


async def decided(http: httpx.AsyncClient, ours: Console, cookie: str, action_id: str) -> float:
    """Seconds from a person's verdict to the answer of the poll that waits for it."""
    headers = {"Authorization": f"Bearer {ours.token}"}
    poll = asyncio.create_task(http.get(f"{ours.url}/api/aap/v1/requests/{action_id}?wait=30s", headers=headers))
    page = (await http.get(f"{ours.url}/approvals/{action_id}/", headers={"Cookie": cookie})).text
    form = {name: found_in(page, name) for name in ("version", "presentation_digest", "csrfmiddlewaretoken")}
    await asyncio.sleep(APART_S)
    sent = {"Cookie": f"{cookie}; csrftoken={csrf_of(page)}", "Referer": ours.url}
    began = time.perf_counter()
    verdict = asyncio.create_task(
        http.post(f"{ours.url}/approvals/{action_id}/decide", data={**form, "verdict": "approve"}, headers=sent)
    )
    answer = await poll
    took = time.perf_counter() - began
    assert answer.json()["status"] == "approved", answer.text
    assert (await verdict).status_code == httpx.codes.FOUND
    return took


def found_in(page: str, name: str) -> str:
    """The value of a hidden field."""
    found = re.search(rf'name="{name}"\s+value="([^"]+)"', page)
    assert found is not None, name
    return found[1]


def csrf_of(page: str) -> str:
    """A cookie that goes with the form's token: Django takes the token itself."""
    return found_in(page, "csrfmiddlewaretoken")


def time_now() -> str:
    """Now, as the page says it."""
    return datetime.now(UTC).isoformat()


if __name__ == "__main__":
    main(*[int(argument) for argument in (sys.argv[1:] + ["100", "30"][len(sys.argv) - 1 :])])
