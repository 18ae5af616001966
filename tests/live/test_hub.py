"""The hub: one read and one serialisation for all who stand together; nothing missed, nothing twice."""

import asyncio
import json
import threading

import pytest

from agentconsole import live
from agentconsole.errors import NotFoundError
from agentconsole.live import hub as hubs
from agentconsole.live import socket as sockets
from agentconsole.live import topic as topics
from tests.live.conftest import PATIENCE_S, Notebook, readers

TOPIC = "notebook:a"


def write(notebook: type[Notebook], *lines: str, hint: bool = True) -> None:
    notebook.lines.extend(lines)
    if hint:
        live.publish({TOPIC: len(notebook.lines)})


async def test_one_read_serves_all_who_stand_together(notebook: type[Notebook]) -> None:
    async with readers(50) as crowd:
        for reader in crowd:
            await live.running_hub().subscribe(reader.socket, TOPIC, 0)
        for reader in crowd:
            assert await reader.next() == {"topic": TOPIC, "live": 0}
        notebook.reads.clear()
        write(notebook, "news")
        for reader in crowd:
            assert (await reader.next())["lines"] == ["news"]
        assert notebook.reads == [(0, None)]


async def test_all_get_the_very_same_text(notebook: type[Notebook]) -> None:
    texts: list[str] = []

    async def keep(text: str) -> None:
        texts.append(text)

    async with readers(1) as [reader]:
        twins = [live.Socket(keep, reader.codes.put) for _ in range(2)]
        for socket in [*twins, reader.socket]:
            live.running_hub().join(socket)
            await live.running_hub().subscribe(socket, TOPIC, 0)
        write(notebook, "news")
        assert await reader.lines(1) == ["news"]
        for socket in twins:
            await live.running_hub().leave(socket)
    first, second = [text for text in texts if "lines" in text]
    assert first is second


async def test_who_comes_with_an_older_cursor_gets_the_gap_and_joins_exactly(notebook: type[Notebook]) -> None:
    write(notebook, *"abcdefgh")
    async with readers(2) as [ahead, behind]:
        await live.running_hub().subscribe(ahead.socket, TOPIC, 8)
        await ahead.next()
        await live.running_hub().subscribe(behind.socket, TOPIC, 1)
        assert await behind.lines(7) == list("bcdefgh")
        assert (1, 8) in notebook.reads
        assert await behind.next() == {"topic": TOPIC, "live": 8}
        notebook.reads.clear()
        write(notebook, "i")
        assert await behind.lines(1) == await ahead.lines(1) == ["i"]
        assert notebook.reads == [(8, None)]


async def test_a_gap_that_grows_while_it_is_read_has_every_line_once(notebook: type[Notebook]) -> None:
    write(notebook, *map(str, range(20)))
    async with readers(2) as [ahead, behind]:
        await live.running_hub().subscribe(ahead.socket, TOPIC, 20)
        await live.running_hub().subscribe(behind.socket, TOPIC, 0)
        for number in range(20, 40):
            write(notebook, str(number))
            assert await ahead.lines(1) == [str(number)]
        assert await behind.lines(40) == [str(number) for number in range(40)]


async def test_hints_within_the_spacing_come_as_one_frame(notebook: type[Notebook], monkeypatch) -> None:
    monkeypatch.setattr(notebook, "spacing_s", 0.3)
    notebook.limit = 100
    async with readers(1) as [reader]:
        await live.running_hub().subscribe(reader.socket, TOPIC, 0)
        await reader.next()
        for line in "abcde":
            write(notebook, line)
        assert (await reader.next())["lines"] == list("abcde")


async def test_a_hint_that_got_lost_is_made_up_for_by_the_poll(notebook: type[Notebook], monkeypatch) -> None:
    monkeypatch.setattr(hubs, "POLL_EVERY_S", 0.02)
    async with readers(1) as [reader]:
        await live.running_hub().subscribe(reader.socket, TOPIC, 0)
        await reader.next()
        write(notebook, "unheard", hint=False)
        assert await reader.lines(1) == ["unheard"]


async def test_a_read_that_fails_is_told_and_tried_again(notebook: type[Notebook], monkeypatch) -> None:
    monkeypatch.setattr(topics, "RETRY_AFTER_S", (0.01,))
    async with readers(1) as [reader]:
        await live.running_hub().subscribe(reader.socket, TOPIC, 0)
        await reader.next()
        notebook.broken = OSError("the disk is gone")
        write(notebook, "news")
        assert await reader.next() == {"topic": TOPIC, "live": None}
        notebook.broken = None
        assert await reader.lines(1) == ["news"]
        assert await reader.next() == {"topic": TOPIC, "live": 1}


async def test_a_topic_that_is_gone_ends_its_subscriptions(notebook: type[Notebook]) -> None:
    async with readers(1) as [reader]:
        await live.running_hub().subscribe(reader.socket, TOPIC, 0)
        await reader.next()
        notebook.broken = NotFoundError("It was pruned.")
        write(notebook, "news")
        refused = await reader.next()
        assert (refused["topic"], refused["error"]["code"]) == (TOPIC, "not_found")
        assert reader.socket.topics == set()


async def test_a_socket_without_room_is_passed_over_and_reads_on_after_its_ack(
    notebook: type[Notebook],
) -> None:
    async with readers(2) as [slow, quick]:
        for reader in (slow, quick):
            await live.running_hub().subscribe(reader.socket, TOPIC, 0)
            await reader.next()
        await slow.socket.send(json.dumps("x" * sockets.WINDOW_BYTES))
        await slow.next()
        for line in "abcdef":
            write(notebook, line)
            assert await quick.lines(1) == [line]
        assert slow.texts.empty()
        assert live.running_hub().ack(slow.socket, 2)
        assert await slow.lines(6) == list("abcdef")


async def test_a_socket_that_acknowledges_nothing_is_dropped_and_told_to_come_back(
    notebook: type[Notebook], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hubs, "POLL_EVERY_S", 0.02)
    monkeypatch.setattr(sockets, "ACK_WITHIN_S", -1.0)
    async with readers(1) as [reader]:
        await live.running_hub().subscribe(reader.socket, TOPIC, 0)
        async with asyncio.timeout(PATIENCE_S):
            assert await reader.codes.get() == 4408
        assert reader.socket.topics == set()


async def test_who_unsubscribes_hears_no_more(notebook: type[Notebook]) -> None:
    async with readers(2) as [stays, goes]:
        for reader in (stays, goes):
            await live.running_hub().subscribe(reader.socket, TOPIC, 0)
            await reader.next()
        await live.running_hub().unsubscribe(goes.socket, TOPIC)
        write(notebook, "news")
        assert await stays.lines(1) == ["news"]
        assert goes.texts.empty()


async def test_an_unknown_topic_is_refused() -> None:
    async with readers(1) as [reader]:
        with pytest.raises(NotFoundError):
            await live.running_hub().subscribe(reader.socket, "weather:here", 0)


async def test_the_hub_ends_with_its_last_socket_and_leaves_no_task(notebook: type[Notebook]) -> None:
    before = asyncio.all_tasks()
    async with readers(2) as crowd:
        first = live.running_hub()
        for reader in crowd:
            await first.subscribe(reader.socket, TOPIC, 0)
            await reader.next()
    assert asyncio.all_tasks() == before
    async with readers(1):
        assert live.running_hub() is not first


async def test_a_hint_from_a_plain_thread_arrives_at_once(notebook: type[Notebook]) -> None:
    """`async_to_sync` would take 250 ms here: it does not wake the loop."""
    async with readers(1) as [reader]:
        await live.running_hub().subscribe(reader.socket, TOPIC, 0)
        await reader.next()
        loop = asyncio.get_running_loop()
        started = loop.time()
        thread = threading.Thread(target=write, args=(notebook, "news"))
        thread.start()
        assert await reader.lines(1) == ["news"]
        assert loop.time() - started < 0.2
        thread.join()
