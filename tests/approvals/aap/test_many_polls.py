"""A thousand polls wait in one process, and hold neither threads nor connections."""

import asyncio
import json
import os
import re
import signal
from pathlib import Path
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.contrib.auth.models import User
from django.db import connection

from approvals.models import Action, Verdict
from tests.approvals.asking import ask_for, decide
from tests.cast import AgentCaller
from tests.live.test_web_processes import web_process

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

POLLS = 1000
POOL = 8
# What the polled process is called at the database: this test's own process has connections too.
POLLED = "agentconsole web"
DECIDED = 40


async def poll(port: int, action_id: str, token: str, waiting: asyncio.Semaphore) -> tuple[str, float]:
    """One poll over a bare socket; the status that it was answered, and when."""
    async with waiting:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        path = f"/api/aap/v1/requests/{action_id}?wait=30s"
        writer.write(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n".encode()
        )
        await writer.drain()
    try:
        answer = await reader.read()
    finally:
        writer.close()
    _head, _, body = answer.partition(b"\r\n\r\n")
    return json.loads(body)["status"], asyncio.get_running_loop().time()


def web_pid(port: int) -> int:
    """The process that listens on a port."""
    listening = Path("/proc/net/tcp").read_text(encoding="ascii")
    found = re.search(rf":{port:04X} 00000000:0000 0A .*?\s(\d+) 1 ", listening)
    assert found is not None
    inode = found[1]
    for pid in (folder.name for folder in Path("/proc").iterdir() if folder.name.isdigit()):
        try:
            links = [str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()]
        except OSError:
            continue
        if f"socket:[{inode}]" in links:
            return int(pid)
    raise AssertionError("nobody listens")


def status_of(pid: int) -> dict[str, int]:
    text = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return {name: int(re.search(rf"^{name}:\s+(\d+)", text, re.MULTILINE)[1]) for name in ("Threads", "VmRSS")}  # type: ignore[index]


async def test_a_thousand_polls_wait_in_one_process(agent: AgentCaller, operator: User):
    def ask_all() -> list[Action]:
        return [ask_for(agent, {"n": number}) for number in range(POLLS)]

    def decide_some(actions: list[Action]) -> None:
        for action in actions[:DECIDED]:
            decide(operator, action, Verdict.APPROVE)

    def waiting() -> int:
        return Action.objects.filter(last_polled_at__isnull=False).count()

    def connections() -> int:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s AND datname = current_database()",
                [POLLED],
            )
            return int(cursor.fetchone()[0])

    actions = await database_sync_to_async(ask_all)()
    with web_process(AAP_POLLS_MAX=str(POLLS), AAP_RATE="1000000", DATABASE_POOL_MAX=str(POOL)) as url:
        port = int(url.rpartition(":")[2])
        pid = web_pid(port)
        before = status_of(pid)
        at_once = asyncio.Semaphore(50)
        polls = [asyncio.create_task(poll(port, str(action.id), agent.token, at_once)) for action in actions]
        async with asyncio.timeout(20):
            while await database_sync_to_async(waiting)() < POLLS:  # noqa: ASYNC110  another process writes it
                await asyncio.sleep(0.1)
        during = status_of(pid)
        assert during["Threads"] <= before["Threads"] + 8
        assert during["VmRSS"] - before["VmRSS"] < 120_000
        if connection.vendor == "postgresql":
            assert 0 < await database_sync_to_async(connections)() <= POOL
        assert sum(task.done() for task in polls) == 0
        await database_sync_to_async(decide_some)(actions)
        told: list[Any] = await asyncio.gather(*polls[:DECIDED])
        assert [status for status, _at in told] == ["approved"] * DECIDED
        # Asked to stop, the process answers the others too.
        os.kill(pid, signal.SIGTERM)
        left: list[Any] = await asyncio.gather(*polls[DECIDED:])
    assert {status for status, _at in left} == {"pending"}
    assert max(at for _status, at in told) < min(at for _status, at in left)
