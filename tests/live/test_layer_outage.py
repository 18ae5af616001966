"""The hub outlives its channel layer: it joins again, and what was said meanwhile is not missed."""

import asyncio
from typing import Any

import pytest
from channels.layers import InMemoryChannelLayer, get_channel_layer

from agentconsole import live
from agentconsole.live import hub as hubs
from agentconsole.live import layer
from tests.live.conftest import Notebook, readers

TOPIC = "notebook:a"


class Shaky(InMemoryChannelLayer):
    """Can be cut off, and forgets its groups then."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.cut_off = asyncio.Event()

    async def group_add(self, group: str, channel: str) -> None:
        if self.cut_off.is_set():
            raise ConnectionError("cut off")
        await super().group_add(group, channel)

    async def receive(self, channel: str) -> dict[str, Any]:
        message = asyncio.ensure_future(super().receive(channel))
        cut = asyncio.ensure_future(self.cut_off.wait())
        try:
            await asyncio.wait([message, cut], return_when=asyncio.FIRST_COMPLETED)
            if cut.done():
                raise ConnectionError("cut off")
            return message.result()
        finally:
            message.cancel()
            cut.cancel()
            await asyncio.gather(message, cut, return_exceptions=True)


@pytest.fixture
def shaky(settings, monkeypatch, notebook) -> type[Notebook]:
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": f"{__name__}.Shaky"}}
    monkeypatch.setattr(layer, "RETRY_AFTER_S", (0.01,))
    return notebook


async def is_joined(wanted: bool = True) -> None:
    async with asyncio.timeout(5):
        while bool(get_channel_layer().groups.get(layer.GROUP)) is not wanted:  # noqa: ASYNC110  the layer has no event
            await asyncio.sleep(0)


async def test_after_an_outage_the_hub_joins_again_and_reads_what_it_did_not_hear(shaky: type[Notebook]) -> None:
    async with readers(1) as [reader]:
        await live.running_hub().subscribe(reader.socket, TOPIC, 0)
        await reader.next()
        await is_joined()
        get_channel_layer().cut_off.set()
        await is_joined(False)
        shaky.lines.append("unheard")
        get_channel_layer().cut_off.clear()
        assert await reader.lines(1) == ["unheard"]
        shaky.lines.append("heard")
        live.publish({TOPIC: 2})
        assert await reader.lines(1) == ["heard"]


async def test_during_an_outage_the_poll_carries_on(shaky: type[Notebook], monkeypatch) -> None:
    monkeypatch.setattr(hubs, "POLL_EVERY_S", 0.02)
    async with readers(1) as [reader]:
        await live.running_hub().subscribe(reader.socket, TOPIC, 0)
        await reader.next()
        await is_joined()
        get_channel_layer().cut_off.set()
        await is_joined(False)
        shaky.lines.append("unheard")
        assert await reader.lines(1) == ["unheard"]


async def test_a_layer_that_forgets_its_groups_without_a_word_is_joined_again(
    shaky: type[Notebook], monkeypatch
) -> None:
    monkeypatch.setattr(layer, "REJOIN_EVERY_S", 0.02)
    async with readers(1) as [reader]:
        await live.running_hub().subscribe(reader.socket, TOPIC, 0)
        await reader.next()
        await is_joined()
        get_channel_layer().groups.clear()
        await is_joined()
        shaky.lines.append("heard")
        live.publish({TOPIC: 1})
        assert await reader.lines(1) == ["heard"]


async def test_a_message_that_is_no_hint_is_passed_over(shaky: type[Notebook]) -> None:
    async with readers(1) as [reader]:
        await live.running_hub().subscribe(reader.socket, TOPIC, 0)
        await reader.next()
        await is_joined()
        for nonsense in ({"type": "live.hints"}, {"type": "live.hints", "topics": 7}, {"topics": {TOPIC: 0}}):
            await get_channel_layer().group_send(layer.GROUP, nonsense)
        shaky.lines.append("heard")
        live.publish({TOPIC: 1})
        assert await reader.lines(1) == ["heard"]
