"""A Redis that is killed and comes back with nothing: hints flow again, and what was stored meanwhile is not missed."""

import asyncio
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from channels.layers import get_channel_layer

from agentconsole import live
from agentconsole.live import hub as hubs
from agentconsole.live import layer
from tests.live.conftest import Notebook, readers
from tests.processes.running import wait_for

pytestmark = pytest.mark.redis

TOPIC = "notebook:a"


class Redis:
    """A Redis server of the test's own."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.folder = folder
        self.url = f"redis://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = shutil.which("redis-server") or pytest.skip("needs redis-server")
        options = ["--port", str(self.port), "--save", "", "--dir", str(self.folder), "--loglevel", "warning"]
        self.process = subprocess.Popen([command, *options])
        wait_for("Redis is up", self._is_up)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def _is_up(self) -> bool:
        with socket.socket() as knock:
            return knock.connect_ex(("127.0.0.1", self.port)) == 0


@pytest.fixture
def redis(tmp_path: Path, settings, monkeypatch) -> Iterator[Redis]:
    server = Redis(tmp_path)
    server.start()
    config = {"hosts": [{"address": server.url, "socket_timeout": 15}]}
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": config}}
    monkeypatch.setattr(layer, "RETRY_AFTER_S", (0.05,))
    monkeypatch.setattr(layer, "REJOIN_EVERY_S", 0.2)
    yield server
    server.kill()


async def heard(notebook: type[Notebook]) -> bool:
    """Whether a hint that is sent now reaches the hub: a poll would take an hour."""
    notebook.lines.append("news")
    await layer.send_hints({TOPIC: len(notebook.lines)})
    await asyncio.sleep(0.1)
    after, _upto = notebook.reads[-1]
    return after + 1 == len(notebook.lines)


async def test_hints_flow_again_after_redis_was_killed_and_came_back_empty(notebook, redis: Redis, monkeypatch) -> None:
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
