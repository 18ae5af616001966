"""What a browser may say on a live socket, and what it is told when it says something else."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from runs.consumers import MESSAGE_MAX, MISTAKES_MAX, TOPICS_MAX
from tests.live.busy_run import ingest, started, tick
from tests.live.conftest import browser

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def topic(agent, run_id) -> str:
    ingest(agent, [started(run_id), tick(run_id)])
    return f"run:{run_id}"


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "7", '"subscribe"', "{}", '{"ack": "1"}', '{"ack": 99}', '{"ack": -1}', '{"ping": {}}',
        '{"subscribe": 7}', "[" * 2000, '{"ack": 1e999}', '{"ack": ' + "9" * 4000 + "}", "x" * (MESSAGE_MAX + 1),
    ],
)  # fmt: skip
async def test_a_message_outside_the_protocol_is_answered_and_the_socket_lives(signed_in: Client, text: str) -> None:
    async with browser(signed_in) as page:
        await page.communicator.send_input({"type": "websocket.receive", "text": text})
        assert (await page.receive())["error"]["code"] == "bad_message"
        await page.send(ping="still there")
        assert await page.receive() == {"pong": "still there"}


async def test_binary_is_outside_the_protocol(signed_in: Client) -> None:
    async with browser(signed_in) as page:
        await page.communicator.send_to(bytes_data=b"\x00\xff")
        assert (await page.receive())["error"]["code"] == "bad_message"


async def test_who_goes_on_talking_nonsense_is_closed(signed_in: Client) -> None:
    async with browser(signed_in) as page:
        for _ in range(MISTAKES_MAX):
            await page.communicator.send_to(text_data="nonsense")
        assert await page.closed_with() == 4400


@pytest.mark.parametrize("after", [-1, 10**6, 10**4000, 1.5, True, "1", None, [], {}])
async def test_a_run_takes_no_cursor_that_it_never_gave(signed_in: Client, topic: str, after: Any) -> None:
    async with browser(signed_in) as page:
        await page.subscribe(topic, after)
        refused = await page.receive()
        assert (refused["topic"], refused["error"]["code"]) == (topic, "bad_cursor")


@pytest.mark.parametrize(
    ("after", "code"),
    [
        (0, "bad_cursor"), (None, "bad_cursor"), ("yesterday", "bad_cursor"), ("2999-01-01T00:00:00Z", "bad_cursor"),
        ("2026-01-01T00:00:00", "bad_cursor"), ("0001-01-01T00:00:00Z", "cursor_too_old"),
        ("0001-01-01T00:00:00+14:00", "cursor_too_old"),
    ],
)  # fmt: skip
async def test_a_list_takes_no_cursor_that_is_no_recent_time(signed_in: Client, after: Any, code: str) -> None:
    async with browser(signed_in) as page:
        await page.subscribe("runs:dev", after)
        assert (await page.receive())["error"]["code"] == code


async def test_one_topic_too_many_is_refused_and_the_others_stay(agent, signed_in: Client, run_id) -> None:
    from agentconsole.protocol.ids import uuid7

    ids = [uuid7() for _ in range(TOPICS_MAX)]
    from channels.db import database_sync_to_async

    await database_sync_to_async(ingest)(agent, [started(one) for one in ids])
    async with browser(signed_in) as page:
        for one in ids:
            await page.subscribe(f"run:{one}", 1)
        await page.subscribe("runs:dev", timezone.now().isoformat())
        refused = await page.receive_until(lambda message: "error" in message)
        assert (refused["topic"], refused["error"]["code"]) == ("runs:dev", "too_many_topics")
        await page.send(unsubscribe=f"run:{ids[0]}")
        await page.subscribe("runs:dev", timezone.now().isoformat())
        await page.until_live("runs:dev")


async def test_subscribing_again_reads_from_the_new_cursor(signed_in: Client, topic: str) -> None:
    async with browser(signed_in) as page:
        await page.subscribe(topic, 0)
        await page.until_live(topic)
        first = page.frames[:-1]
        await page.subscribe(topic, 0)
        await page.until_live(topic)
        assert first
        assert page.frames == [*first, page.frames[-1]] * 2


async def test_who_unsubscribes_gets_no_more_frames(agent, signed_in: Client, topic: str, run_id) -> None:
    from channels.db import database_sync_to_async

    async with browser(signed_in) as page, browser(signed_in) as other:
        for one in (page, other):
            await one.subscribe(topic, 0)
            await one.until_live(topic)
        await page.send(unsubscribe=topic)
        await page.send(ping=1)
        assert await page.receive() == {"pong": 1}
        await database_sync_to_async(ingest)(agent, [tick(run_id)])
        await other.receive_until(lambda message: "seq" in message)
        await page.send(ping=2)
        assert await page.receive() == {"pong": 2}
