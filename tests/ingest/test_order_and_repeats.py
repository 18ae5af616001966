"""The same items in any order, in any batches, any number of times: the same rows."""

import random
from typing import Any

import pytest

from runs.models import PhaseTick, Run, Span, TraceEvent
from tests.cast import AgentCaller
from tests.ingest.items import ended, new_run, run_finished, run_started, span, whole_run

pytestmark = pytest.mark.django_db
OURS = {"seq", "summary_seq", "received_at", "last_seen_at", "lease_expires_at", "updated_at", "phase_at"}


def rows_of(run: str) -> dict[str, Any]:
    """Everything stored of a run but the console's own clock and counters."""
    kept = {
        model.__name__: sorted(
            str(sorted((k, str(v)) for k, v in row.items() if k not in OURS))
            for row in model.objects.filter(run_id=run).values()
        )
        for model in (PhaseTick, Span, TraceEvent)
    }
    return kept | {"Run": {k: v for k, v in Run.objects.filter(id=run).values().get().items() if k not in OURS}}


def test_sending_everything_twice_changes_nothing(agent: AgentCaller):
    run = new_run()
    items = whole_run(run)
    agent.send(*items)
    before, seq = rows_of(run), Run.objects.get(id=run).seq
    assert agent.send(*items).json() == {"accepted": 0, "duplicates": 7, "rejected": []}
    assert (rows_of(run), Run.objects.get(id=run).seq) == (before, seq)


def test_the_same_item_twice_in_one_batch_is_one_row(agent: AgentCaller):
    run = new_run()
    items = whole_run(run)
    assert agent.send(*(item for item in items for _ in range(2))).json()["accepted"] == 7
    assert TraceEvent.objects.filter(run_id=run).count() == 1


@pytest.mark.parametrize("seed", range(6))
def test_any_order_in_any_batches_gives_the_same_rows(agent: AgentCaller, seed: int):
    run, shuffled = new_run(), random.Random(seed)
    items = whole_run(run)
    agent.send(*items)
    in_order = rows_of(run)
    Run.objects.filter(id=run).delete()
    mixed = [*items, *shuffled.sample(items, 3)]
    shuffled.shuffle(mixed)
    while mixed:
        size = shuffled.randint(1, 3)
        agent.send(*mixed[:size])
        del mixed[:size]
    assert rows_of(run) == in_order


def test_a_finish_before_its_start_is_a_complete_span(agent: AgentCaller):
    run = new_run()
    call = span(run, arguments={"order": 1})
    agent.send(ended(span(run, id=call["id"]), "empty", result=[]))
    agent.send(call)
    stored = Span.objects.get(run_id=run)
    assert (stored.outcome, stored.arguments, stored.result) == ("empty", '{"order":1}', "[]")
    assert Run.objects.get(id=run).tools == {"empty": 1}


def test_a_second_end_that_differs_is_refused_and_the_first_stays(agent: AgentCaller):
    run = new_run()
    agent.send(run_started(run), run_finished(run))
    answer = agent.send(run_finished(run, status="failed")).json()
    assert answer["rejected"][0]["code"] == "already_finished"
    assert Run.objects.get(id=run).status == "succeeded"


def test_a_child_before_its_parent_is_kept_with_its_parents_id(agent: AgentCaller):
    run = new_run()
    parent = span(run, kind="subagent", name="storage")
    child = span(run, parent=parent["id"])
    agent.send(child)
    agent.send(parent)
    assert Span.objects.get(run_id=run, span_id=child["id"]).parent_id == parent["id"]
