"""Live: how late a frame is, what the poll had to heal, who is there and who was dropped."""

import asyncio
import time

import pytest
import time_machine
from channels.layers import get_channel_layer

from agentconsole import live
from agentconsole.live import hub as hubs
from agentconsole.live import layer
from agentconsole.live import socket as sockets
from agentconsole.live import topic as topics
from approvals.aap import polls
from tests.live.conftest import PATIENCE_S, Notebook, Reader, browser, readers
from tests.metrics.scraping import counted

TOPIC = "notebook:a"
LAG = "agentconsole_live_lag_seconds"


async def subscribed(reader: Reader) -> None:
    await live.running_hub().subscribe(reader.socket, TOPIC, len(Notebook.lines))
    await reader.next()


async def joined(reader: Reader) -> None:
    """`reader` is there, and the hub has joined its layer: a line came by its hint."""
    await subscribed(reader)
    before = counted(f"{LAG}_count")
    while counted(f"{LAG}_count") == before:
        write("first")
        await reader.lines(1)


def write(line: str) -> None:
    Notebook.lines.append(line)
    live.publish({TOPIC: len(Notebook.lines)})


async def test_the_lag_runs_from_the_commit_to_the_frame(notebook: type[Notebook], moved) -> None:
    async with readers(3) as crowd:
        await joined(crowd[0])
        await subscribed(crowd[1])
        await subscribed(crowd[2])
        frames, seconds = moved(f"{LAG}_count", topic="notebook"), moved(f"{LAG}_sum", topic="notebook")
        with time_machine.travel(time.time() - 30, tick=False):
            write("news")
        for reader in crowd:
            assert await reader.lines(1) == ["news"]
    assert frames() == 1
    assert 30 <= seconds() < 31


async def test_a_hint_that_got_lost_is_healed_and_tells_no_lag(notebook: type[Notebook], monkeypatch, moved) -> None:
    monkeypatch.setattr(hubs, "POLL_EVERY_S", 0.02)
    async with readers(1) as [reader]:
        await joined(reader)
        frames, healed = moved(f"{LAG}_count"), moved("agentconsole_live_hints_healed_total")
        notebook.lines.append("unheard")
        assert await reader.lines(1) == ["unheard"]
    assert (frames(), healed()) == (0, 1)


async def test_a_read_that_fails_at_first_counts_into_the_lag(notebook: type[Notebook], monkeypatch, moved) -> None:
    monkeypatch.setattr(topics, "RETRY_AFTER_S", (0.01,))
    async with readers(1) as [reader]:
        await joined(reader)
        frames = moved(f"{LAG}_count")
        notebook.broken = OSError("the disk is gone")
        write("news")
        assert (await reader.next())["live"] is None
        assert frames() == 0
        notebook.broken = None
        assert await reader.lines(1) == ["news"]
    assert frames() == 1


async def test_hints_that_the_layer_does_not_take_are_lost(notebook: type[Notebook], monkeypatch, moved) -> None:
    async def cut_off(*args) -> None:
        raise ConnectionError

    async with readers(1) as [reader]:
        await joined(reader)
        lost, sent = moved("agentconsole_live_hints_lost_total"), moved("agentconsole_live_hints_sent_total")
        await layer.send_hints({TOPIC: 1})
        assert (lost(), sent()) == (0, 1)
        monkeypatch.setattr(get_channel_layer(), "group_send", cut_off)
        await layer.send_hints({TOPIC: 2, "notebook:b": 2})
    assert (lost(), sent()) == (2, 1)


async def test_a_socket_that_acknowledges_nothing_is_counted_as_dropped(notebook, monkeypatch, moved) -> None:
    monkeypatch.setattr(hubs, "POLL_EVERY_S", 0.02)
    monkeypatch.setattr(sockets, "ACK_WITHIN_S", -1.0)
    dropped = moved("agentconsole_live_sockets_dropped_total")
    async with readers(1) as [reader]:
        await live.running_hub().subscribe(reader.socket, TOPIC, 0)
        async with asyncio.timeout(PATIENCE_S):
            await reader.codes.get()
    assert dropped() == 1


@pytest.mark.django_db(transaction=True)
async def test_sockets_are_counted_while_they_are_open(signed_in) -> None:
    before = counted("agentconsole_live_sockets")
    async with browser(signed_in), browser(signed_in), browser(None):
        assert counted("agentconsole_live_sockets") == before + 2
    assert counted("agentconsole_live_sockets") == before


def test_long_polls_are_counted_while_they_wait() -> None:
    before = counted("agentconsole_approval_polls")
    with polls._place(1), polls._place(2):
        assert counted("agentconsole_approval_polls") == before + 2
    assert counted("agentconsole_approval_polls") == before
