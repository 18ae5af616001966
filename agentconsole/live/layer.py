"""The channel layer, and nothing else of the console knows it. It may lose anything at any time: hints are all it carries."""

import asyncio
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from channels.layers import InMemoryChannelLayer, get_channel_layer

from agentconsole import metrics
from agentconsole.faults import fault_words
from agentconsole.logconf import get_logger

log = get_logger(__name__)

Cursor = int | str
Hints = dict[str, Cursor]

GROUP = "live"
SEND_WITHIN_S = 2.0
RETRY_AFTER_S = (0.2, 1.0, 5.0)
REJOIN_EVERY_S = 15.0


def leaves_process() -> bool:
    """Whether the channel layer reaches other processes than this one."""
    return not isinstance(get_channel_layer(), InMemoryChannelLayer)


class LayerHealth:
    """Says once that the layer fails and once that it works again, however many hints that concerns."""

    def __init__(self) -> None:
        self.is_failing = False

    def failed(self, error: BaseException) -> None:
        """The layer did not do what it was asked."""
        if not self.is_failing:
            log.warning("LIVE_LAYER_FAILED", error=type(error).__name__, detail=fault_words(error))
        self.is_failing = True

    def worked(self) -> None:
        """The layer did what it was asked."""
        if self.is_failing:
            log.info("LIVE_LAYER_BACK")
        self.is_failing = False


_sending = LayerHealth()


async def send_hints(hints: Hints, committed_at: float | None = None) -> None:
    """Tell every web process, and since when (seconds since the epoch; None: now). Never raises: what is lost here is found by
    their polls."""
    at = time.time() if committed_at is None else committed_at
    try:
        async with asyncio.timeout(SEND_WITHIN_S):
            await get_channel_layer().group_send(GROUP, {"type": "live.hints", "topics": hints, "at": at})
    except Exception as error:  # noqa: BLE001  the edge to another service: any failure of it means the same
        metrics.HINTS_LOST.inc(len(hints))
        _sending.failed(error)
    else:
        metrics.HINTS_SENT.inc(len(hints))
        _sending.worked()


class Ear:
    """A hub's membership in the group of all hubs."""

    def __init__(self, on_hints: Callable[[Hints, float | None], None], on_joined: Callable[[], None]) -> None:
        self._on_hints = on_hints
        self._on_joined = on_joined
        self._health = LayerHealth()

    async def listen(self) -> None:
        """Hand over hints until cancelled; join again, more and more patiently, whenever the layer fails."""
        failures = 0
        while True:
            try:
                await self._listen_once()
            except Exception as error:  # noqa: BLE001  the edge to another service: any failure of it means the same
                self._health.failed(error)
            await asyncio.sleep(RETRY_AFTER_S[min(failures, len(RETRY_AFTER_S) - 1)])
            failures += 1

    async def _listen_once(self) -> None:
        layer = get_channel_layer()
        channel = await layer.new_channel("live")
        await layer.group_add(GROUP, channel)
        self._health.worked()
        self._on_joined()
        rejoining = asyncio.create_task(self._keep_joined(layer, channel))
        try:
            while True:
                self._on_hints(*_hints_of(await layer.receive(channel)))
        finally:
            rejoining.cancel()
            await layer.group_discard(GROUP, channel)

    async def _keep_joined(self, layer: Any, channel: str) -> None:
        """A Redis that restarts forgets its groups, and its client reconnects without a word: say it again and again."""
        while True:
            await asyncio.sleep(REJOIN_EVERY_S)
            try:
                await layer.group_add(GROUP, channel)
            except Exception as error:  # noqa: BLE001  as above; the next turn tries again
                self._health.failed(error)
            else:
                self._health.worked()


class LayerLiedError(Exception):
    """The channel layer gave back another message than the one it took."""


def _hints_of(message: dict[str, Any]) -> tuple[Hints, float | None]:
    topics, at = message.get("topics"), message.get("at")
    return topics if isinstance(topics, dict) else {}, at if isinstance(at, float) else None


async def round_trip() -> None:
    """Send a message and take it back: the proof that the layer works. Raises what the layer raises, and may hang as it does.

    LayerLiedError if what comes back is something else.
    """
    layer = get_channel_layer()
    # The Ear's prefix: channels_redis lets one receiver at a time wait, for all channels of its prefix and no others.
    channel = await layer.new_channel("live")
    sent = {"type": "health.proof", "mark": uuid4().hex}
    await layer.send(channel, sent)
    if await layer.receive(channel) != sent:
        raise LayerLiedError
