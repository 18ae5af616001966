"""Batches that arrive at once, over connections of their own, for the same runs."""

import json
import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from runs.ingest import ingest_body
from runs.models import PhaseTick, Run, Span, TraceEvent
from tests.cast import AgentCaller
from tests.ingest.items import Item, ended, event, new_run, run_started, span, tick

pytestmark = pytest.mark.django_db(transaction=True)
SENDERS = 8


def send_all(agent: AgentCaller, batches: list[list[Item]]) -> list[Any]:
    def send(batch: list[Item]) -> Any:
        try:
            body = json.dumps({"items": batch}).encode()
            return ingest_body(body, content_type="application/json", content_encoding="", instance=agent.instance)
        finally:
            connection.close()

    with ThreadPoolExecutor(SENDERS) as pool:
        return list(pool.map(send, batches))


def numbers_of(run: str) -> list[int]:
    return [
        seq
        for model in (PhaseTick, Span, TraceEvent)
        for seq in model.objects.filter(run_id=run).values_list("seq", flat=True)
    ]


def test_every_row_has_its_own_number(agent: AgentCaller):
    runs = [new_run() for _ in range(3)]
    batches = [[item(run) for run in runs for item in (tick, event, span)] for _ in range(40)]
    answers = send_all(agent, batches)
    assert sum(answer["accepted"] for answer in answers) == 40 * 9
    for run in runs:
        numbers = numbers_of(run)
        assert len(numbers) == len(set(numbers)) == 120
        assert Run.objects.get(id=run).span_count == 40


def test_the_same_batch_from_all_sides_is_stored_once(agent: AgentCaller):
    run = new_run()
    batch = [run_started(run), *(event(run) for _ in range(20)), *(ended(span(run)) for _ in range(20))]
    answers = send_all(agent, [batch] * 16)
    assert sum(answer["accepted"] for answer in answers) == 41
    assert sum(answer["duplicates"] for answer in answers) == 15 * 41
    assert Run.objects.get(id=run).tools == {"ok": 20}


def test_new_runs_made_crosswise_do_not_block_each_other(agent: AgentCaller):
    rng, runs = random.Random(5), [new_run() for _ in range(30)]
    batches = [[event(run) for run in rng.sample(runs, 12)] for _ in range(40)]
    answers = send_all(agent, batches)
    assert sum(answer["accepted"] for answer in answers) == 40 * 12
    assert TraceEvent.objects.count() == 40 * 12
