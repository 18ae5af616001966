"""Payloads are redacted, then cut, and what was cut is known."""

import hashlib
import json

import pytest

from runs.models import Run, Span, TraceEvent
from runs.queries.shapes import whole_span_shape
from tests.cast import AgentCaller
from tests.ingest.items import ended, event, new_run, run_finished, run_started, span

pytestmark = pytest.mark.django_db
SECRET = "hunter2-canary-9f2"


def test_a_long_result_keeps_its_head_its_tail_its_length_and_its_digest(agent: AgentCaller):
    run, text = new_run(), "BEGIN " + "x" * 60_000 + " END"
    agent.send(ended(span(run), result=text))
    whole = whole_span_shape(Span.objects.get(run_id=run))
    result = whole["result"]
    assert result is not None
    assert (result["chars"], result["sha256"]) == (len(text), hashlib.sha256(text.encode()).hexdigest())
    assert result["text"].startswith("BEGIN x")
    assert result["text"].endswith("x END")
    assert result["cut_at"] is not None
    assert result["text"][result["cut_at"] :].startswith(f"[TRUNCATED {result['cut_chars']} chars]")
    assert len(result["text"].encode()) <= 16 * 1024


def test_what_a_sender_cut_itself_is_known_too(agent: AgentCaller):
    run, told = new_run(), {"chars": 90_000, "sha256": "a" * 64, "at": 5, "left_out": 89_000}
    agent.send(ended(span(run), result="begin[TRUNCATED 89000 chars]end", cut={"result": told}))
    result = whole_span_shape(Span.objects.get(run_id=run))["result"]
    assert result is not None
    assert (result["chars"], result["cut_at"], result["cut_chars"]) == (90_000, 5, 89_000)


def test_a_cut_is_known_also_when_start_and_end_tell_of_different_texts(agent: AgentCaller):
    run, long = new_run(), "y" * 40_000
    call = span(run, arguments=long)
    agent.send(call)
    agent.send(ended(span(run, id=call["id"]), result=long))
    assert set(Span.objects.get(run_id=run).cut) == {"arguments", "result"}


def test_long_texts_of_runs_and_events_are_cut_and_known(agent: AgentCaller):
    run, long = new_run(), "z" * 40_000
    agent.send(
        run_started(run, query=long),
        event(run, message=long, fields={"a": {"b": long}}),
        run_finished(run, summary=long),
    )
    assert set(Run.objects.get(id=run).cut) == {"query", "summary"}
    assert set(TraceEvent.objects.get(run_id=run).cut) == {"message", "fields.a.b"}


PLACES = {
    "an argument by its name": lambda run: span(run, arguments={"db_password": SECRET}),
    "an argument's header": lambda run: span(run, arguments={"headers": {"Authorization": f"Bearer {SECRET}"}}),
    "a result's text": lambda run: ended(span(run), result=f"curl -H 'Authorization: Bearer {SECRET}'"),
    "a result's json": lambda run: ended(span(run), result={"items": [{"api_key": SECRET}]}),
    "json in a string": lambda run: ended(span(run), result=json.dumps({"client_secret": SECRET})),
    "a message": lambda run: ended(span(run), "error", message=f"password={SECRET} refused"),
    "a name": lambda run: span(run, name=f"GET /?access_token={SECRET}"),
    "an attempt": lambda run: ended(
        span(run),
        "error",
        attempts=[
            {"at": "2026-11-22T20:00:00Z", "elapsed_ms": 1, "outcome": "error", "message": f"token: bearer {SECRET}"}
        ],
    ),
    "an unknown field": lambda run: span(run, refresh_token=SECRET),
    "an attribute": lambda run: span(run, attributes={"http.request.header.authorization": f"Basic {SECRET}"}),
    "an event's field": lambda run: event(run, fields={"secret": SECRET}),
    "an event's message": lambda run: event(run, message=f"Authorization: Basic {SECRET}"),
    "the query": lambda run: run_started(run, query=f"why does api_key={SECRET} fail"),
    "the error": lambda run: run_finished(run, status="failed", error=f"Bearer {SECRET}"),
    "a private key": lambda run: ended(
        span(run), result=f"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4\n\n{SECRET}\n-----END RSA PRIVATE KEY-----"
    ),
    "a secret at the edge of the cut": lambda run: ended(
        span(run), result="x" * (16 * 1024 * 65 // 100 - 20) + f" Bearer {SECRET} " + "y" * 40_000
    ),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_secret_is_stored_nowhere_and_its_hit_is_logged_without_it(agent: AgentCaller, place: str, logged):
    run = new_run()
    assert agent.send(PLACES[place](run)).json()["accepted"] == 1
    rows = [str(list(model.objects.values())) for model in (Run, Span, TraceEvent)]
    assert not any(SECRET in row for row in rows)
    assert any("[REDACTED:" in row for row in rows)
    blocked = logged("SECRET_LEAK_BLOCKED")
    assert blocked
    assert SECRET not in str(blocked)


def test_correlation_ids_are_not_touched(agent: AgentCaller):
    run = new_run()
    fields = {
        "request_id": "req_01m82gpwacepr9cxh1es5amgys",
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "sha": "a" * 64,
    }
    agent.send(event(run, token="TOKEN_COUNTED", fields=fields))
    assert TraceEvent.objects.get(run_id=run).fields == fields
