"""Two real beats: the leader is killed, then its follower is stopped and woken. No entry is sent twice in its period."""

import json
import signal
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from redis import Redis

from agentconsole.celery import SCHEDULE
from agentconsole.schedule.lead import LEASE_S
from tests.distributed.deployment import BEAT, parts
from tests.processes.running import RunningConsole, wait_for
from tests.processes.services import own_services
from tests.servers import OwnRedis

pytestmark = [pytest.mark.processes, pytest.mark.redis]


def sendings(url: str) -> dict[str, list[float]]:
    """When each task was sent, by what lies in the queue: no worker takes it out."""
    sent: dict[str, list[float]] = {}
    with Redis.from_url(url) as client:
        for message in client.lrange("ours:celery", 0, -1):
            headers = json.loads(message)["headers"]
            sent.setdefault(headers["task"], []).append(headers["console_sent_at"])
    return {task: sorted(times) for task, times in sent.items()}


def timed(what: str, look: Callable[[], object]) -> float:
    """How long it took until it was so."""
    begun = time.monotonic()
    wait_for(what, look, within_s=60)
    return time.monotonic() - begun


def test_one_leads_another_takes_over_and_nothing_is_sent_twice(tmp_path: Path):
    with own_services() as services, OwnRedis() as redis:
        setting = RunningConsole(tmp_path, **{**services, "REDIS_URL": redis.url, "REDIS_PREFIX": "ours"})
        setting.manage("migrate", "-v", "0")
        with parts(tmp_path, setting.env) as start:
            first = start("first", BEAT)
            wait_for("the first leads", lambda: first.events("BEAT_LEADS"), within_s=60)
            second = start("second", BEAT)
            wait_for("the second stands by", lambda: second.events("BEAT_STANDS_BY"), within_s=60)
            wait_for("the first sends", lambda: sendings(redis.url))
            first.send(signal.SIGKILL)
            killed_s = timed("the second leads", lambda: second.events("BEAT_LEADS"))

            third = start("third", BEAT)
            wait_for("the third stands by", lambda: third.events("BEAT_STANDS_BY"), within_s=60)
            second.send(signal.SIGSTOP)
            stopped_s = timed("the third leads", lambda: third.events("BEAT_LEADS"))
            before = len(sendings(redis.url).get("approvals.tasks.expire_actions", []))
            wait_for("the third sends", lambda: len(sendings(redis.url)["approvals.tasks.expire_actions"]) > before)
            second.send(signal.SIGCONT)
            wait_for("the second notices", lambda: second.events("BEAT_STANDS_BY"))
            sent_by_now = len(sendings(redis.url)["approvals.tasks.expire_actions"])
            wait_for(
                "the third goes on",
                lambda: len(sendings(redis.url)["approvals.tasks.expire_actions"]) > sent_by_now + 1,
            )
        sent = sendings(redis.url)
    print(f"taken over {killed_s:.1f} s after kill -9, {stopped_s:.1f} s after SIGSTOP")
    assert max(killed_s, stopped_s) <= LEASE_S + 5
    every_s = {entry["task"]: entry["schedule"] for entry in SCHEDULE.values()}
    for task, times in sent.items():
        assert all(later - earlier > 0.7 * every_s[task] for earlier, later in pairwise(times)), (task, times)
