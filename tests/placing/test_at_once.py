"""Batches of one trace that come at once make one run, with all that each of them told."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from runs.models import Run, RunTrace, Span
from tests.cast import AgentCaller
from tests.placing.exports import new_trace, span, store_spans
from traces.otlp.shapes import OtlpSpan

pytestmark = pytest.mark.django_db(transaction=True)
AT_ONCE = 4


def send_at_once(agent: AgentCaller, batches: list[list[OtlpSpan]]) -> int:
    """Store each batch in a thread of its own; how many spans were stored."""
    ready = Barrier(len(batches))

    def send(batch: list[OtlpSpan]) -> int:
        ready.wait()
        try:
            return store_spans(agent.instance, *batch).stored
        finally:
            connection.close()

    with ThreadPoolExecutor(len(batches)) as pool:
        return sum(pool.map(send, batches))


def test_they_make_one_run(agent: AgentCaller):
    traces = [new_trace() for _ in range(5)]
    batches = [[span(trace, part * 10 + 2, 1) for trace in traces] for part in range(AT_ONCE)]
    assert send_at_once(agent, batches) == AT_ONCE * len(traces)
    assert set(RunTrace.objects.values_list("trace_id", flat=True)) == set(traces)
    assert [run.span_count for run in Run.objects.all()] == [AT_ONCE] * len(traces)


def test_the_same_ones_are_stored_once(agent: AgentCaller):
    trace = new_trace()
    batch = [span(trace, number, number // 2) for number in range(1, 20)]
    assert send_at_once(agent, [batch] * AT_ONCE) == len(batch)
    run = Run.objects.get()
    seqs = sorted(Span.objects.values_list("seq", flat=True))
    assert (run.span_count, len(set(seqs))) == (len(batch), len(batch))
    assert run.seq >= seqs[-1]
