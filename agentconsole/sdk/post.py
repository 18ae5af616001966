"""One batch to the console over HTTP, and what became of it."""

import gzip
import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import httpx

from agentconsole.sdk.classify import retry_after_s
from agentconsole.sdk.version import SDK_NAME

INGEST_PATH = "/api/v1/ingest"
GZIP_FROM_BYTES = 4 * 1024
SENDER_NAME = "agentconsole-sender"
_UNREADABLE = (400, 413, 422)


class Fate(StrEnum):
    """What the console made of a batch."""

    TAKEN = "taken"
    AWAY = "away"
    REFUSED = "refused"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Receipt:
    """The answer to a batch. `rejected` are the items that the console refused for good, one by one."""

    fate: Fate
    reason: str = ""
    retry_after_s: float | None = None
    rejected: tuple[dict[str, Any], ...] = ()


class Post:
    """Sends batches to one console with one credential. Used by one thread at a time."""

    def __init__(self, url: str, token: str, *, timeout_s: float = 15.0) -> None:
        self._client = httpx.Client(
            base_url=url.rstrip("/"),
            timeout=httpx.Timeout(timeout_s, connect=5.0),
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json", "User-Agent": SDK_NAME},
        )
        _keep_out_of_the_log()

    def send(self, items: Sequence[bytes]) -> Receipt:
        """Send encoded items as one batch. Never raises for what the network or the console does."""
        sent_at = datetime.now(UTC).isoformat().encode()
        body = b'{"sent_at":"%s","items":[%s]}' % (sent_at, b",".join(items))
        headers = {}
        if len(body) >= GZIP_FROM_BYTES:
            body, headers = gzip.compress(body, compresslevel=4, mtime=0), {"Content-Encoding": "gzip"}
        try:
            return _receipt(self._client.post(INGEST_PATH, content=body, headers=headers))
        except Exception as error:  # noqa: BLE001 -- whatever breaks on the way there, the items are kept and tried again
            return Receipt(Fate.AWAY, type(error).__name__)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def _receipt(response: httpx.Response) -> Receipt:
    status = response.status_code
    if response.is_success:
        return _read_answer(response)
    if status in _UNREADABLE:
        return Receipt(Fate.UNREADABLE, f"HTTP {status}")
    if status in (408, 425, 429) or response.is_server_error:
        return Receipt(Fate.AWAY, f"HTTP {status}", retry_after_s(response.headers.get("Retry-After", "")))
    return Receipt(Fate.REFUSED, f"HTTP {status}")


def _read_answer(response: httpx.Response) -> Receipt:
    """Only the console's own answer means that the items are stored: a proxy's sign-in page is a 200 too."""
    try:
        answer = response.json()
    except ValueError:
        answer = None
    if not isinstance(answer, dict) or "accepted" not in answer:
        return Receipt(Fate.REFUSED, "the answer is not a console's")
    rejected = answer.get("rejected")
    return Receipt(Fate.TAKEN, rejected=tuple(item for item in rejected or () if isinstance(item, dict)))


def _not_from_the_sender(_record: logging.LogRecord) -> bool:
    return not threading.current_thread().name.startswith(SENDER_NAME)


def _keep_out_of_the_log() -> None:
    """httpx logs each request at INFO: several lines a second about ourselves in the agent's log."""
    logging.getLogger("httpx").addFilter(_not_from_the_sender)
