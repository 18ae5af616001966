"""Long polls, in front of Django: a request that waits holds no thread and no database connection.

All of Django's middleware is synchronous, so a request inside of it keeps a thread for as long as it lasts.
"""

import asyncio
import json
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from typing import Any
from urllib.parse import parse_qs

from django.conf import settings
from django.utils import timezone

from agentconsole import metrics
from agentconsole.errors import ConsoleError, RateLimitedError
from agentconsole.lifecycle import is_draining
from agentconsole.live import Socket, in_thread, running_hub
from agentconsole.logconf import get_logger
from agentconsole.middleware import as_console_error, uuid_request_id
from agentconsole.protocol.context import RequestContext, Transport, bound_context
from agentconsole.sockets import headers_of
from approvals.aap.calls import action_id_in, instance_of
from approvals.aap.errors import error_text
from approvals.aap.shapes import action_text
from approvals.aap.views import current_action
from approvals.aap.wire import wait_s_in
from approvals.models import Action, ActionStatus
from approvals.services.polling import note_poll
from runs.models import AgentInstance

log = get_logger(__name__)

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
Application = Callable[[dict[str, Any], Receive, Send], Awaitable[None]]

_PATH = re.compile(r"/api/aap/v1/requests/([0-9a-fA-F-]{36})")
DRAIN_LOOK_S = 0.2
_LATE_S = 0.01


def with_long_polls(application: Application) -> Application:
    """The ASGI application, with `GET /api/aap/v1/requests/{id}?wait=…` in front of it."""

    async def polled(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        found = _PATH.fullmatch(scope["path"]) if scope["type"] == "http" and scope["method"] == "GET" else None
        waits = parse_qs(scope["query_string"].decode("latin1"), keep_blank_values=True).get("wait") if found else None
        if found is None or waits is None:
            await application(scope, receive, send)
            return
        headers = headers_of(scope)
        headers["x-request-id"] = uuid_request_id(headers.get("x-request-id", ""))
        with bound_context(RequestContext.from_headers(headers, Transport.REST)) as context:
            started = time.perf_counter()
            # What the waiting took is given back once the answer is out: the last to leave a hub waits for its end.
            async with AsyncExitStack() as taken:
                status, body, more = await _answer(headers, found[1], waits, receive, taken)
                if status:
                    await _send(send, status, body, {"X-Request-ID": context.request_id, **more})
            # No duration: how long it took is how long it was to wait.
            metrics.observe_request(method="GET", route="long poll", status=status)
            log.info(
                "REQUEST_FINISHED",
                method="GET",
                path=scope["path"],
                status=status,
                duration_ms=round((time.perf_counter() - started) * 1000),
            )

    return polled


async def _answer(
    headers: dict[str, str], request_id: str, waits: list[str], receive: Receive, taken: AsyncExitStack
) -> tuple[int, str, dict[str, str]]:
    """Status, body and headers; status 0 if nobody is there any more to be answered."""
    try:
        wait_s = wait_s_in(waits)
        instance, action = await in_thread(_begin, headers.get("authorization", ""), request_id)
        if wait_s and not action.is_ended and not await _wait(action, wait_s, receive, taken):
            return 0, "", {}
        if not action.is_ended:
            action = await in_thread(current_action, instance, action.id)
        return 200, action_text(action), {}
    except Exception as error:  # noqa: BLE001  the edge of the protocol: whatever broke is told in its shape
        refused = error if isinstance(error, ConsoleError) else as_console_error(error)
        return refused.http_status, error_text(refused, headers["x-request-id"]), refused.headers


def _begin(authorization: str, request_id: str) -> tuple[AgentInstance, Action]:
    instance = instance_of(authorization)
    action = current_action(instance, action_id_in(request_id))
    if not action.is_ended:
        note_poll(action.id)
    return instance, action


async def _wait(action: Action, wait_s: int, receive: Receive, taken: AsyncExitStack) -> bool:
    """Wait for the action's end, its deadline, or the drain; False if the client left meanwhile."""
    left_s = (action.deadline_at - timezone.now()).total_seconds()
    # A moment past the deadline, so that looking then finds it passed.
    limit_s = max(0.0, min(float(wait_s), left_s + _LATE_S))
    taken.enter_context(_place(action.instance_id))
    ended = asyncio.Event()

    async def hear(text: str) -> None:
        # Nobody but this process is at the other end, so what was sent has arrived; unconfirmed, it would be closed as too slow.
        socket.ack(socket.sent)
        if _is_news(json.loads(text)):
            ended.set()

    async def close(_code: int) -> None:
        ended.set()

    socket = Socket(hear, close)
    hub = running_hub()
    hub.join(socket)
    taken.push_async_callback(hub.leave, socket)
    await hub.subscribe(socket, f"action:{action.id}", action.version)
    return await _first(ended, receive, limit_s)


def _is_news(frame: dict[str, Any]) -> bool:
    """Whether a frame of the topic ends the wait: the action is no longer pending, or no longer there."""
    return "error" in frame or frame.get("status", ActionStatus.PENDING) != ActionStatus.PENDING


async def _first(ended: asyncio.Event, receive: Receive, limit_s: float) -> bool:
    gone = asyncio.create_task(_until_gone(receive))
    ending = asyncio.create_task(ended.wait())
    _drains.add(ended)
    _watch_drain()
    try:
        done, _pending = await asyncio.wait({gone, ending}, timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
        return gone not in done
    finally:
        _drains.discard(ended)
        for task in (gone, ending):
            task.cancel()
        await asyncio.gather(gone, ending, return_exceptions=True)


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


_waiting: Counter[int] = Counter()


@contextmanager
def _place(instance_id: int) -> Iterator[None]:
    """One of the places that an instance's polls have in this process. RateLimitedError if all are taken."""
    if _waiting[instance_id] >= settings.AAP_POLLS_MAX:
        raise RateLimitedError(
            f"{settings.AAP_POLLS_MAX} polls of this credential wait already. Wait for one of them.",
            headers={"Retry-After": "5"},
        )
    _waiting[instance_id] += 1
    metrics.LIVE_POLLS.inc()
    try:
        yield
    finally:
        _waiting[instance_id] -= 1
        metrics.LIVE_POLLS.dec()
        if not _waiting[instance_id]:
            del _waiting[instance_id]


_drains: set[asyncio.Event] = set()
_watch: asyncio.Task[None] | None = None


def _watch_drain() -> None:
    """One look-out for all that wait: a process that is asked to stop answers its polls at once."""
    global _watch  # noqa: PLW0603  one look-out per process is what there is to have
    if _watch is None or _watch.done() or _watch.get_loop() is not asyncio.get_running_loop():
        _watch = asyncio.get_running_loop().create_task(_look_out())


async def _look_out() -> None:
    while _drains:
        if is_draining():
            for ended in list(_drains):
                ended.set()
        await asyncio.sleep(DRAIN_LOOK_S)


async def _send(send: Send, status: int, body: str, headers: dict[str, str]) -> None:
    sent = body.encode()
    named = {
        "Content-Type": "application/json",
        "Content-Length": str(len(sent)),
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        **headers,
    }
    pairs = [(name.lower().encode(), value.encode("latin1")) for name, value in named.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": sent})
