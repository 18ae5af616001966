"""How a guarded call's course reaches the console: over httpx, blocking or not, with the instance's credential."""

import asyncio
import time
from http import HTTPStatus

import httpx
import structlog

from agentconsole.protocol.context import current_context
from agentconsole.protocol.exact_json import dump_exact
from agentconsole.sdk.boundary import REQUESTS_PATH, Allowed, Course, Exchange, Pause, Reply
from agentconsole.sdk.version import SDK_NAME

log = structlog.get_logger(__name__)

CONNECT_S = 5.0
_REPORT_TRIES = 3
_REPORT_PAUSE_S = 0.5


class Door:
    """One console's approval boundary, for one credential."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}", "User-Agent": SDK_NAME}

    def drive(self, course: Course) -> Allowed:
        """Send what the course wants sent, to its end. Raises what it raises."""
        with httpx.Client(headers=self._headers, follow_redirects=False) as client:
            try:
                wanted = next(course)
                while True:
                    if isinstance(wanted, Pause):
                        time.sleep(wanted.seconds)
                        wanted = course.send(Reply(0))
                        continue
                    try:
                        reply = _reply(client.send(self._request(wanted)))
                    except httpx.HTTPError:
                        reply = Reply(0)
                    wanted = course.send(reply)
            except StopIteration as end:
                allowed: Allowed = end.value
                return allowed

    async def adrive(self, course: Course) -> Allowed:
        """As `drive`, from a running loop."""
        async with httpx.AsyncClient(headers=self._headers, follow_redirects=False) as client:
            try:
                wanted = next(course)
                while True:
                    if isinstance(wanted, Pause):
                        await asyncio.sleep(wanted.seconds)
                        wanted = course.send(Reply(0))
                        continue
                    try:
                        reply = _reply(await client.send(self._request(wanted)))
                    except httpx.HTTPError:
                        reply = Reply(0)
                    wanted = course.send(reply)
            except StopIteration as end:
                allowed: Allowed = end.value
                return allowed

    def report(self, request_id: str, status: str, note: str = "") -> None:
        """Tell the outcome, as well as can be: an outcome that does not arrive is shown as unknown, never guessed."""
        body = dump_exact({"status": status, **({"note": note} if note else {})})
        exchange = Exchange("POST", f"{REQUESTS_PATH}/{request_id}/outcome", body)
        with httpx.Client(headers=self._headers, follow_redirects=False) as client:
            for attempt in range(1, _REPORT_TRIES + 1):
                try:
                    answered = client.send(self._request(exchange)).status_code
                except httpx.HTTPError:
                    answered = 0
                if answered and answered < HTTPStatus.INTERNAL_SERVER_ERROR:
                    break
                time.sleep(_REPORT_PAUSE_S * attempt)
        if answered != HTTPStatus.OK:
            log.warning("SDK_OUTCOME_UNREPORTED", approval=request_id, status=answered, outcome=status)

    def _request(self, exchange: Exchange) -> httpx.Request:
        context = current_context()
        headers = {**self._headers, **(context.to_headers() if context else {})}
        if exchange.key:
            headers["Idempotency-Key"] = exchange.key
        if exchange.body:
            headers["Content-Type"] = "application/json"
        timeout = httpx.Timeout(exchange.timeout_s, connect=CONNECT_S)
        return httpx.Request(
            exchange.method,
            self._url + exchange.path,
            headers=headers,
            content=exchange.body.encode() or None,
            extensions={"timeout": timeout.as_dict()},
        )


def _reply(response: httpx.Response) -> Reply:
    return Reply(response.status_code, response.content, response.headers.get("Retry-After", ""))
