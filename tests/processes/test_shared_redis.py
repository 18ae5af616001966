"""Several consoles can share one Redis: none has a key or a channel outside its prefix."""

from pathlib import Path

import pytest
import redis

from tests.processes.running import RunningConsole, wait_for
from tests.processes.services import own_services
from tests.servers import OwnRedis

pytestmark = [pytest.mark.processes, pytest.mark.redis]


def test_all_that_a_console_keeps_in_redis_begins_with_its_prefix(tmp_path: Path):
    with OwnRedis() as server, own_services() as services:
        console = RunningConsole(
            tmp_path, **{**services, "REDIS_URL": server.url, "REDIS_PREFIX": "ours"}, DOCTOR_ENABLED="on"
        )
        seen: set[str] = set()
        try:
            console.start()
            with redis.Redis.from_url(server.url, decode_responses=True) as client:
                wait_for("the doctor's first run is over", lambda: _look(client, seen, console), within_s=90)
        finally:
            console.end()
    assert [name for name in seen if not name.startswith("ours")] == []
    parts = ("_kombu", "pidbox", "group")
    assert all(any(part in name for name in seen) for part in parts), seen


def _look(client: redis.Redis, seen: set[str], console: RunningConsole) -> bool:
    """Gather what is there right now; whether the console has worked with all of it."""
    seen.update(client.scan_iter("*"))
    seen.update(map(str, client.pubsub_channels("*")))
    return bool(console.logged("DOCTOR_FINISHED"))
