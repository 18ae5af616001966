"""Celery's way to the embedded queue of files, in which a message is there whole or not at all.

kombu 5.7 writes a message where readers look for it. One that was taken half written, or stayed so because the disk was full, ended the worker,
and the next ones, until none of them was left.
"""

import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

from kombu.exceptions import ChannelError
from kombu.transport import TRANSPORT_ALIASES
from kombu.transport import filesystem as stock
from kombu.utils.json import dumps

from agentconsole.logconf import get_logger

log = get_logger(__name__)


class _Channel(stock.Channel):
    def _put(self, queue: str, payload: dict[str, Any], **kwargs: Any) -> None:  # type: ignore[override]  # as kombu calls it
        # The name that the stock channel gives: in the order of sending.
        whole = Path(self.data_folder_out) / f"{round(time.monotonic() * 1000)}_{uuid4()}.{queue}.msg"
        part = whole.with_suffix(".part")
        try:
            part.write_text(dumps(payload), encoding="utf-8")
            part.rename(whole)
        except OSError as error:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            raise ChannelError(f"Cannot add file {whole.name!r} to the queue: {error.strerror}") from error

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        while True:
            try:
                return super()._get(queue)
            except ValueError as error:
                # It is out of the queue by now. Every task can be made again.
                log.warning("MESSAGE_UNREADABLE", queue=queue, error=str(error))


class Transport(stock.Transport):
    """Of `filesystem:` URLs."""

    Channel = _Channel


def use() -> None:
    """Have this process's Celery reach the queue by this."""
    TRANSPORT_ALIASES["filesystem"] = f"{__name__}:Transport"
