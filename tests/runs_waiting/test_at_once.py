"""Waits begin and end while batches of the same run arrive, over connections of their own."""

import json
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from runs.ingest import ingest_body
from runs.models import PhaseTick, Run, Span, TraceEvent
from runs.wait_spans import wait_span_id
from tests.cast import AgentCaller
from tests.ingest.items import Item, ended, event, span, tick
from tests.runs_waiting.waits import ask, decide, now_of, open_run

pytestmark = pytest.mark.django_db(transaction=True)
WORKERS = 6


def all_at_once(works: list[Callable[[], object]]) -> None:
    def work(one: Callable[[], object]) -> None:
        try:
            one()
        finally:
            connection.close()

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(work, works))


def sender(agent: AgentCaller, *items: Item) -> Callable[[], object]:
    body = json.dumps({"items": items}).encode()
    return lambda: ingest_body(body, content_type="application/json", content_encoding="", instance=agent.instance)


def numbers_of(run: Run) -> list[int]:
    return [seq for table in (PhaseTick, Span, TraceEvent) for seq in table.objects.filter(run=run).values_list("seq", flat=True)]  # fmt: skip


def test_every_wait_and_every_item_is_kept_under_a_number_of_its_own(agent: AgentCaller):
    run = open_run(agent)
    run_id, actions = str(run.id), [uuid.uuid4() for _ in range(6)]
    works: list[Callable[[], object]] = []
    for action_id in actions:
        works += [lambda a=action_id: ask(run, a), sender(agent, tick(run_id, state="alive"), event(run_id))]  # type: ignore[misc]
        works += [sender(agent, ended(span(run_id, id=wait_span_id(action_id)))), lambda a=action_id: ask(run, a)]  # type: ignore[misc]
    all_at_once(works)
    assert (now_of(run).status, now_of(run).span_count) == ("waiting", 1 + len(actions))
    assert Span.objects.filter(run=run, outcome="waiting", approval_id__in=actions).count() == len(actions)
    all_at_once([lambda a=action_id: decide(run, a) for action_id in actions])  # type: ignore[misc]
    assert now_of(run).status == "running"
    numbers = numbers_of(run)
    assert len(numbers) == len(set(numbers)) == 1 + 1 + 2 * len(actions) + len(actions)
