"""One bad item is refused with its place, its code and what to do; the others of its batch are stored."""

import json
from typing import Any

import pytest
from django.test import Client

from runs.models import Run, TraceEvent
from tests.cast import AgentCaller
from tests.ingest.items import AT, event, new_run, run_started, span, tick

pytestmark = pytest.mark.django_db


def nested(depth: int) -> Any:
    value: Any = "deep"
    for _ in range(depth):
        value = [value]
    return value


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown type": ({"type": "mystery"}, "unknown_type"),
    "no type": ({"type": None}, "unknown_type"),
    "a type that is a list": ({"type": ["event"]}, "unknown_type"),
    "a random id": ({"id": "8e6f2a0e-7a55-4d0c-9a38-0f6f3f1c8f10"}, "invalid"),
    "an id that is a number": ({"id": 7}, "invalid"),
    "no run": ({"run": None}, "invalid"),
    "year 1": ({"at": "0001-01-01T00:00:00Z"}, "invalid"),
    "year 1 with an offset that leaves it": ({"at": "0001-01-01T00:00:00+14:00"}, "invalid"),
    "year 9999": ({"at": "9999-12-31T23:59:59Z"}, "invalid"),
    "year 9999 with an offset that leaves it": ({"at": "9999-12-31T23:59:59-14:00"}, "invalid"),
    "a time without an offset": ({"at": "2026-11-22T20:00:00"}, "invalid"),
    "a time that is a number": ({"at": 1763840000}, "invalid"),
    "a time that is no time": ({"at": "yesterday"}, "invalid"),
    "a token in lower case": ({"token": "router decision"}, "invalid"),
    "a token that is too long": ({"token": "A" * 65}, "invalid"),
    "an unknown level": ({"level": "loud"}, "invalid"),
    "fields that are a list": ({"fields": [1]}, "invalid"),
    "fields nested too deep": ({"fields": {"a": nested(40)}}, "too_deep"),
    "fields that are too large": ({"fields": {str(n): "x" * 1000 for n in range(80)}}, "too_large"),
    "NUL in a message": ({"message": "a\x00b"}, "bad_text"),
    "NUL in a field": ({"fields": {"a": "\x00"}}, "bad_text"),
    "NUL in a field's name": ({"fields": {"\x00": 1}}, "bad_text"),
    "a request id with a line break": ({"request_id": "a\nb"}, "invalid"),
    "a request id that is too long": ({"request_id": "a" * 129}, "invalid"),
    "a span id in upper case": ({"span": "ABCDEF0123456789"}, "invalid"),
    "a span id of zeros": ({"span": "0" * 16}, "invalid"),
}


@pytest.mark.parametrize("what", BAD)
def test_it_is_refused_by_name_and_its_neighbours_are_stored(agent: AgentCaller, what: str):
    change, code = BAD[what]
    run = new_run()
    answer = agent.send(event(run), {**event(run), **change}, tick(run))
    assert answer.status_code == 200
    body = answer.json()
    assert body["accepted"] == 2
    assert [(one["index"], one["code"]) for one in body["rejected"]] == [(1, code)]
    assert len(body["rejected"][0]["message"]) > 10


@pytest.mark.parametrize(
    "change",
    [
        {"outcome": "great"},
        {"outcome": "ok"},
        {"elapsed_ms": -1},
        {"elapsed_ms": 2**70},
        {"budget": {"soft_ms": "soon", "hard_ms": 1}},
        {"name": ""},
        {"name": "x" * 201},
        {"kind": "wish"},
        {"attempts": [{"at": AT, "elapsed_ms": 1, "outcome": "ok"}] * 101},
        {"attributes": {"a": 1e400}},
        {"parent": "not hex"},
        {"trace_id": "0" * 32},
        {"cut": {"elsewhere": {}}},
    ],
)
def test_a_bad_span_is_refused(agent: AgentCaller, change: dict[str, Any]):
    run = new_run()
    body = agent.send(run_started(run), span(run, **change)).json()
    assert (body["accepted"], len(body["rejected"])) == (1, 1)


@pytest.mark.parametrize("item", [3, "text", None, [], [[]], True])
def test_an_item_that_is_no_object_is_refused(agent: AgentCaller, item: Any):
    body = agent.send(item, run_started(new_run())).json()
    assert (body["accepted"], body["rejected"][0]["code"]) == (1, "not_an_object")


def raw(agent: AgentCaller, body: bytes) -> Any:
    return Client().post("/api/v1/ingest", body, content_type="application/json", headers=agent.headers)


@pytest.mark.parametrize("escape", [b"\\ud800", b"\\udfff", b"\\udc00\\ud800"])
def test_a_lone_surrogate_costs_its_item_alone(agent: AgentCaller, escape: bytes):
    good, bad = event(new_run()), event(new_run(), fields={"a": "MARK"}, message="MARK")
    body = raw(agent, json.dumps({"items": [bad, good]}).encode().replace(b"MARK", escape)).json()
    assert (body["accepted"], [one["code"] for one in body["rejected"]]) == (1, ["bad_text"])


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity", b"1e999"])
def test_a_number_that_json_does_not_have_costs_its_item_alone(agent: AgentCaller, number: bytes):
    good, bad = event(new_run()), event(new_run(), fields={"a": "MARK"})
    body = raw(agent, json.dumps({"items": [bad, good]}).encode().replace(b'"MARK"', number)).json()
    assert (body["accepted"], [one["code"] for one in body["rejected"]]) == (1, ["bad_number"])


def test_what_is_refused_can_be_shown_and_logged(agent: AgentCaller):
    body = agent.send({**event(new_run()), "id": "<script>\x00\u202e" * 100, "token": "\u202e\x1b[31m"}).json()
    refused = body["rejected"][0]
    assert len(refused["id"]) <= 64
    assert refused["id"].isascii()
    assert not Run.objects.exists()


def test_a_batch_of_nothing_is_no_error(agent: AgentCaller):
    assert agent.send().json() == {"accepted": 0, "duplicates": 0, "rejected": []}


def test_text_of_every_script_survives_byte_for_byte(agent: AgentCaller):
    message = "日本語 العربية 👩‍👩‍👧 é ﷽ \u0301 \ufeff \u202e \x7f \t\r\n"
    run = new_run()
    agent.send(event(run, message=message, fields={message: message}))
    stored = TraceEvent.objects.get(run_id=run)
    assert (stored.message, stored.fields) == (message, {message: message})
