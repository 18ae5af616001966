"""What an agent sends is what the console holds."""

import uuid

import pytest

from runs.models import PhaseTick, Run, Span, TraceEvent
from runs.queries.log import run_log
from tests.cast import AgentCaller
from tests.ingest.items import AT, ended, event, new_run, run_finished, run_started, span, tick, whole_run

pytestmark = pytest.mark.django_db


def test_a_whole_run_is_stored_with_its_summary(agent: AgentCaller):
    run = new_run()
    answer = agent.send(*whole_run(run))
    assert answer.json() == {"accepted": 7, "duplicates": 0, "rejected": []}
    stored = Run.objects.get(id=run)
    assert (stored.status, stored.environment_id, stored.agent.name) == ("succeeded", "dev", "triage")
    assert (stored.tools, stored.span_count, stored.event_count) == ({"ok": 1}, 1, 1)
    assert stored.actor == "agent:triage/one"
    assert stored.took is not None
    assert stored.took.total_seconds() == 2.5


def test_the_log_numbers_every_row_once_and_in_order(agent: AgentCaller):
    run = new_run()
    agent.send(*whole_run(run))
    log = run_log(uuid.UUID(run), 0)
    assert log is not None
    assert log["run"] is not None
    numbers = [row["seq"] for part in ("ticks", "spans", "events") for row in log[part]]
    assert sorted([*numbers, log["run"]["seq"]]) == sorted({*numbers, log["run"]["seq"]})
    assert log["seq"] == Run.objects.get(id=run).seq == log["run"]["seq"]


def test_a_change_takes_a_new_number_and_the_log_gives_just_that(agent: AgentCaller):
    run, call = new_run(), span(new_run())
    call["run"] = run
    agent.send(run_started(run), call, event(run))
    before = Run.objects.get(id=run).seq
    agent.send(ended(call))
    log = run_log(uuid.UUID(run), before)
    assert log is not None
    assert [row["id"] for row in log["spans"]] == [call["id"]]
    assert (log["ticks"], log["events"]) == ([], [])


def test_the_log_pages_without_gap_or_overlap(agent: AgentCaller):
    run = new_run()
    agent.send(run_started(run), *(event(run) for _ in range(25)), *(tick(run, state="alive") for _ in range(25)))
    seen, after, more = [], 0, True
    while more:
        page = run_log(uuid.UUID(run), after, limit=7)
        assert page is not None
        seen += [row["seq"] for row in (*page["ticks"], *page["events"])]
        after, more = page["seq"], page["more"]
    assert len(seen) == len(set(seen)) == 50


def test_the_phase_follows_the_latest_tick_by_the_agents_clock(agent: AgentCaller):
    run = new_run()
    later = tick(run, "synthesise", at="2026-11-22T20:00:09Z")
    agent.send(run_started(run), later)
    agent.send(tick(run, "gather", at="2026-11-22T20:00:05Z"), tick(run, "gather", "left", at="2026-11-22T20:00:08Z"))
    assert Run.objects.get(id=run).phase == "synthesise"
    agent.send(tick(run, "synthesise", "left", at="2026-11-22T20:00:10Z"))
    assert Run.objects.get(id=run).phase == ""


def test_tool_counts_move_with_a_calls_outcome(agent: AgentCaller):
    run = new_run()
    call = span(run)
    agent.send(run_started(run), call, span(run, kind="model", name="gpt"))
    assert Run.objects.get(id=run).tools == {"running": 1}
    agent.send(ended(call, "timeout"))
    assert Run.objects.get(id=run).tools == {"timeout": 1}


def test_unknown_fields_are_kept_as_attributes(agent: AgentCaller):
    run = new_run()
    agent.send(run_started(run, region="eu"), span(run, shard=7, attributes={"model": "m"}), event(run, colour="red"))
    assert Run.objects.get(id=run).attributes == {"region": "eu"}
    assert Span.objects.get(run_id=run).attributes == {"shard": 7, "model": "m"}
    assert TraceEvent.objects.get(run_id=run).fields == {"colour": "red"}


def test_a_span_that_ended_without_an_outcome_is_unreported_never_ok(agent: AgentCaller):
    run = new_run()
    agent.send(span(run, ended_at="2026-11-22T20:00:01Z"))
    stored = Span.objects.get(run_id=run)
    assert (stored.outcome, stored.elapsed_ms) == ("unreported", 1000)


def test_one_line_an_item_does_as_well(agent: AgentCaller, client):
    run = new_run()
    lines = f'{{"type":"run.started","id":"{run}","at":"{AT}","request_id":"r","transport":"cli"}}\n\nnot json\n'
    answer = client.post("/api/v1/ingest", lines, content_type="application/x-ndjson", headers=agent.headers).json()
    assert (answer["accepted"], answer["rejected"][0]["code"]) == (1, "not_an_object")


def test_a_startup_summary_is_kept_with_its_instance(agent: AgentCaller):
    started = {"type": "agent.startup", "id": new_run(), "at": AT, "expected": ["jira", "logs"], "loaded": ["logs"]}
    missing = [{"name": "jira", "reason": "no token"}]
    assert agent.send({**started, "missing": missing}).json()["accepted"] == 1
    agent.instance.refresh_from_db()
    assert agent.instance.missing_tools == missing
    older = agent.send({**started, "at": "2026-11-21T00:00:00Z"}).json()
    assert (older["accepted"], older["duplicates"]) == (0, 1)


def test_a_run_that_never_said_it_started_is_found_by_what_its_items_say(agent: AgentCaller):
    run = new_run()
    agent.send(tick(run, request_id="req-early"))
    stored = Run.objects.get(id=run)
    assert (stored.request_id, stored.is_start_received, stored.status) == ("req-early", False, "running")
    agent.send(run_started(run, request_id="req-early", at="2026-11-22T19:59:59Z"))
    stored.refresh_from_db()
    assert stored.is_start_received
    assert PhaseTick.objects.filter(run=stored).count() == 1


def test_items_after_the_end_are_stored_and_do_not_reopen_the_run(agent: AgentCaller):
    run = new_run()
    agent.send(run_started(run), run_finished(run))
    assert agent.send(tick(run, "late"), event(run)).json()["accepted"] == 2
    stored = Run.objects.get(id=run)
    assert (stored.status, stored.phase) == ("succeeded", "")


def test_a_deadline_may_be_far_ahead(agent: AgentCaller):
    run = new_run()
    assert agent.send(run_started(run, deadline="2099-12-31T00:00:00Z")).json()["accepted"] == 1
