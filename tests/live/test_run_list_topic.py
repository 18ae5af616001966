"""The live run list: every change, also of transactions that end out of order."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.utils import timezone

from agentconsole.errors import ConsoleError
from agentconsole.live.settled import SETTLED_AFTER
from agentconsole.protocol.ids import uuid7
from runs import live_topics
from runs.live_topics import RunsTopic
from runs.models import Run
from runs.queries.shapes import iso
from tests.live.busy_run import ingest, started, tick
from tests.live.conftest import browser

pytestmark = pytest.mark.django_db(transaction=True)

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def clock():
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def topic() -> RunsTopic:
    return RunsTopic("runs:dev")


def ids_in(text: str) -> list[str]:
    return [run["id"] for run in json.loads(text)["runs"]] if text else []


def begin(agent: Any, count: int = 1) -> list[str]:
    ids = [uuid7() for _ in range(count)]
    ingest(agent, [started(run_id) for run_id in ids])
    return [str(run_id) for run_id in ids]


def read_all(topic: RunsTopic, cursor: Any, upto: Any = None) -> tuple[list[str], Any]:
    found: list[str] = []
    while True:
        page = topic.read(cursor, upto)
        found, cursor = found + ids_in(page.text), page.cursor
        if not page.more:
            return found, cursor


def test_tells_each_change_once(agent, clock, topic: RunsTopic) -> None:
    cursor = topic.start(iso(timezone.now()))
    [first] = begin(agent)
    told, cursor = read_all(topic, cursor)
    assert told == [first]
    clock.shift(1)
    told, cursor = read_all(topic, cursor)
    assert told == []
    ingest(agent, [tick(UUID(first))])
    told, cursor = read_all(topic, cursor)
    assert told == [first]


def test_finds_a_change_that_was_committed_behind_its_back(agent, clock, topic: RunsTopic) -> None:
    cursor = topic.start(iso(timezone.now()))
    clock.shift(5)
    [late] = begin(agent)
    Run.objects.filter(id=late).update(updated_at=NOON + timedelta(seconds=1))
    [early] = begin(agent)
    Run.objects.filter(id=late).update(environment_id="prod")  # not committed yet, as far as this list can see
    told, cursor = read_all(topic, cursor)
    assert told == [early]
    Run.objects.filter(id=late).update(environment_id="dev")
    told, cursor = read_all(topic, cursor)
    assert told == [late]
    clock.shift(2 * SETTLED_AFTER.total_seconds())
    assert read_all(topic, cursor)[0] == []


def test_who_was_away_gets_all_that_changed_since(agent, clock, topic: RunsTopic) -> None:
    away_since = iso(timezone.now())
    clock.shift(60)
    missed = begin(agent, 3)
    clock.shift(60)
    assert sorted(read_all(topic, topic.start(away_since))[0]) == sorted(missed)
    assert read_all(topic, topic.start(iso(timezone.now())))[0] == []


@pytest.mark.parametrize("in_one_batch", [True, False])
def test_a_crowd_comes_in_pages_that_miss_nobody(agent, clock, topic: RunsTopic, monkeypatch, in_one_batch) -> None:
    monkeypatch.setattr(RunsTopic, "page_rows", 4)
    cursor = topic.start(iso(timezone.now()))
    ids = begin(agent, 10) if in_one_batch else []
    while len(ids) < 10:
        clock.shift(0.001)
        ids += begin(agent)
    clock.shift(60)
    assert sorted(read_all(topic, cursor)[0]) == sorted(ids)


def test_who_joins_others_gets_what_they_were_told_and_is_not_settled(agent, clock, topic: RunsTopic) -> None:
    head = topic.start(iso(timezone.now()))
    [first] = begin(agent)
    _told, head = read_all(topic, head)
    joins_at = topic.start(iso(timezone.now() - timedelta(minutes=1)))
    told, joined_at = read_all(topic, joins_at, head)
    assert (told, joined_at) == ([first], head)
    [second] = begin(agent)
    assert read_all(topic, head)[0] == [second], "what the joining one read was not taken off the others' list"


def test_who_takes_over_the_head_is_told_what_its_last_holder_was(agent, clock, topic: RunsTopic) -> None:
    behind = topic.start(iso(timezone.now()))
    clock.shift(30)
    head = topic.start(iso(timezone.now()))
    [run_id] = begin(agent)
    assert read_all(topic, head)[0] == [run_id]
    assert read_all(topic, behind)[0] == [run_id]


def test_long_texts_of_a_run_come_cut(agent, clock, topic: RunsTopic) -> None:
    cursor = topic.start(iso(timezone.now()))
    ingest(agent, [{**started(uuid7()), "query": "why? " * 1000}])
    [run] = json.loads(topic.read(cursor, None).text)["runs"]
    assert len(run["query"]) == live_topics.LIST_TEXT


def test_another_environments_runs_are_not_in_the_list(agent, foreign_agent, clock, topic: RunsTopic) -> None:
    cursor = topic.start(iso(timezone.now()))
    begin(foreign_agent)
    assert read_all(topic, cursor)[0] == []


def test_a_list_from_yesterday_is_to_be_loaded_anew(environments, clock, topic: RunsTopic) -> None:
    with pytest.raises(ConsoleError) as refused:
        topic.start(iso(timezone.now() - timedelta(days=1)))
    assert refused.value.code == "cursor_too_old"


async def test_a_browser_sees_the_list_change(agent, signed_in) -> None:
    from channels.db import database_sync_to_async

    async with browser(signed_in) as page:
        await page.subscribe("runs:dev", timezone.now().isoformat())
        await page.until_live("runs:dev")
        [run_id] = await database_sync_to_async(begin)(agent)
        frame = await page.receive_until(lambda message: "runs" in message)
        assert [run["id"] for run in frame["runs"]] == [run_id]
        assert frame["runs"][0]["status"] == "running"
