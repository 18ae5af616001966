"""A Redis that is killed and comes back with nothing: hints flow again, and what was stored meanwhile is not missed."""

import asyncio
from collections.abc import Iterator

import pytest
from channels.layers import get_channel_layer

from agentconsole import live
from agentconsole.live import hub as hubs
from agentconsole.live import layer
from tests.live.conftest import Notebook, readers
from tests.servers import OwnRedis

pytestmark = pytest.mark.redis

TOPIC = "notebook:a"


@pytest.fixture
def redis(settings, monkeypatch) -> Iterator[OwnRedis]:
    with OwnRedis() as server:
        config = {"hosts": [{"address": server.url, "socket_timeout": 15}]}
        settings.CHANNEL_LAYERS = {"default": {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": config}}
        monkeypatch.setattr(layer, "RETRY_AFTER_S", (0.05,))
        monkeypatch.setattr(layer, "REJOIN_EVERY_S", 0.2)
        yield server


async def heard(notebook: type[Notebook]) -> bool:
    """Whether a hint that is sent now reaches the hub: a poll would take an hour."""
    notebook.lines.append("news")
    await layer.send_hints({TOPIC: len(notebook.lines)})
    await asyncio.sleep(0.1)
    after, _upto = notebook.reads[-1]
    return after + 1 == len(notebook.lines)


async def test_hints_flow_again_after_redis_was_killed_and_came_back_empty(
    notebook, redis: OwnRedis, monkeypatch
) -> None:
    monkeypatch.setattr(hubs, "POLL_EVERY_S", 3600)
    notebook.limit = 1000
    async with readers(1) as [reader]:
        await live.running_hub().subscribe(reader.socket, TOPIC, 0)
        await reader.next()
        async with asyncio.timeout(30):
            while not await heard(notebook):
                pass
            redis.kill()
            assert not await heard(notebook)
            redis.start()
            while not await heard(notebook):
                pass
        assert len(await reader.lines(len(notebook.lines))) == len(notebook.lines)
    await get_channel_layer().close_pools()
