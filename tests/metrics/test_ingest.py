"""A batch moves the counters once it is committed: items by result, tool calls by outcome."""

import pytest

from runs.ingest import writer
from runs.ingest.applied import RunTakenError
from tests.cast import AgentCaller
from tests.ingest.items import ended, event, new_run, run_started, span, whole_run

pytestmark = pytest.mark.django_db
TOOLS = "agentconsole_tool_calls_total"


def test_items_are_counted_by_what_became_of_them(agent: AgentCaller, moved) -> None:
    results = {
        name: moved("agentconsole_ingest_items_total", environment="dev", result=name)
        for name in ("accepted", "duplicate", "rejected")
    }
    batches, sent = (
        moved("agentconsole_ingest_batch_duration_seconds_count"), moved("agentconsole_ingest_received_bytes_total"),
    )  # fmt: skip
    story = whole_run(new_run())
    agent.send(*story)
    agent.send(*story[:3], {"type": "nonsense"})
    assert {name: count() for name, count in results.items()} == {"accepted": 7, "duplicate": 3, "rejected": 1}
    assert batches() == 2
    assert sent() > 500


def test_a_body_that_can_not_be_read_is_a_refused_batch(agent: AgentCaller, client, moved) -> None:
    refused = moved("agentconsole_ingest_refused_total", code="malformed_body")
    client.post("/api/v1/ingest", "{", content_type="application/json", headers=agent.headers)
    assert refused() == 1


def test_a_tool_call_counts_when_it_ends_and_once(agent: AgentCaller, moved) -> None:
    calls, in_time = moved(TOOLS, tool="lookup_order"), moved(TOOLS, tool="lookup_order", outcome="timeout")
    run = new_run()
    call = span(run, outcome="running")
    agent.send(run_started(run), call, event(run), span(run, kind="model"))
    assert calls() == 0
    agent.send(ended(call, "timeout"))
    agent.send(ended(call, "timeout", message="no answer within 10 s"))
    assert (calls(), in_time()) == (1, 1)


def test_a_batch_that_is_written_at_the_second_try_counts_once(agent: AgentCaller, moved, monkeypatch) -> None:
    calls, accepted = moved(TOOLS), moved("agentconsole_ingest_items_total", result="accepted")
    tries, store = [], writer.Writer._store

    def taken_at_first(self, *args) -> None:
        tries.append(1)
        if len(tries) == 1:
            raise RunTakenError
        store(self, *args)

    monkeypatch.setattr(writer.Writer, "_store", taken_at_first)
    run = new_run()
    agent.send(run_started(run), ended(span(run)))
    assert (len(tries), calls(), accepted()) == (2, 1, 2)
