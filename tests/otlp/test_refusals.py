"""A refusal is a google.rpc.Status in the encoding of the request: what is wrong, whether to come back, and when."""

import gzip
import json
from typing import Any

import pytest
import zstandard
from django.db import OperationalError
from django.test import Client

from agentconsole.rpc_status import JSON, PROTOBUF
from runs.ingest.errors import BusyError
from runs.models import Run
from tests.cast import AgentCaller
from tests.otlp.bodies import as_json, request_of, span
from tests.otlp.sending import details_in, post, status_in
from traces.otlp import intake

pytestmark = pytest.mark.django_db

GOOD = {PROTOBUF: request_of(span()).SerializeToString(), JSON: as_json(request_of(span()))}
INVALID, UNAUTHENTICATED, EXHAUSTED, UNAVAILABLE, INTERNAL = 3, 16, 8, 14, 13
BAD: dict[str, tuple[bytes, str, str, int]] = {
    "no protobuf": (b"\xff\xff", PROTOBUF, "", 400),
    "protobuf cut short": (GOOD[PROTOBUF][:-1], PROTOBUF, "", 400),
    "json as protobuf": (GOOD[JSON], PROTOBUF, "", 400),
    "protobuf as json": (GOOD[PROTOBUF], JSON, "", 400),
    "json cut short": (GOOD[JSON][:-1], JSON, "", 400),
    "lists ten thousand deep": (b"[" * 10_000 + b"]" * 10_000, JSON, "", 400),
    "gzip that is none": (GOOD[PROTOBUF], PROTOBUF, "gzip", 400),
    "gzip cut short": (gzip.compress(GOOD[PROTOBUF])[:-9], PROTOBUF, "gzip", 400),
    "gzip that goes on": (gzip.compress(GOOD[PROTOBUF]) * 2, PROTOBUF, "gzip", 400),
    "gzip with damage": (gzip.compress(GOOD[JSON])[:-12] + b"\xff" * 12, JSON, "gzip", 400),
    "deflate that is none": (b"\x00\x01\x02", JSON, "deflate", 400),
    "zstd that is none": (b"\x00\x01\x02", JSON, "zstd", 400),
    "zstd cut short": (zstandard.compress(GOOD[JSON])[:-3], JSON, "zstd", 400),
    "a compression nobody reads": (GOOD[PROTOBUF], PROTOBUF, "br", 415),
    "a form": (b"a=b", "application/x-www-form-urlencoded", "", 415),
    "no content type": (b"", "", "", 415),
}


@pytest.mark.parametrize("what", BAD)
def test_a_body_that_cannot_be_read_is_a_bad_request(agent: AgentCaller, what: str):
    body, media, encoding, expected = BAD[what]
    answer = post(agent, body, media, **({"Content_Encoding": encoding} if encoding else {}))
    status = status_in(answer)
    assert (answer.status_code, status.code) == (expected, INVALID), status.message
    assert len(status.message) > 20
    assert details_in(status)["ErrorInfo"]["metadata"]["request_id"] == answer.headers["X-Request-ID"]
    assert not Run.objects.exists()


@pytest.mark.parametrize("media", GOOD)
def test_a_refusal_is_in_the_encoding_of_the_request(agent: AgentCaller, media: str):
    answer = post(None, GOOD[media], media)
    assert (answer.status_code, answer.headers["Content-Type"]) == (401, media)
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert status_in(answer).code == UNAUTHENTICATED
    assert details_in(status_in(answer))["ErrorInfo"]["reason"] == "UNAUTHORIZED"


@pytest.mark.parametrize("media", GOOD)
def test_too_many_requests_are_told_when_to_come_back(agent: AgentCaller, settings: Any, media: str):
    settings.INGEST_RATE = 1
    assert post(agent, GOOD[media], media).status_code == 200
    answer = post(agent, GOOD[media], media)
    seconds = answer.headers["Retry-After"]
    assert (answer.status_code, status_in(answer).code) == (429, EXHAUSTED)
    assert details_in(status_in(answer))["RetryInfo"]["retryDelay"] == f"{seconds}s"
    assert agent.send().status_code == 429


@pytest.mark.parametrize("error", [BusyError("Busy.", headers={"Retry-After": "1"}), OperationalError("gone")])
def test_a_database_that_is_busy_or_away_is_worth_another_try(agent: AgentCaller, monkeypatch, error: Exception):
    def fail(*args: Any, **kwargs: Any) -> None:
        raise error

    monkeypatch.setattr(intake, "store", fail)
    answer = post(agent, GOOD[PROTOBUF])
    assert (answer.status_code, status_in(answer).code) == (503, UNAVAILABLE)
    assert int(answer.headers["Retry-After"]) >= 1
    assert "RetryInfo" in details_in(status_in(answer))


def test_a_bug_is_told_as_one_and_nothing_more(agent: AgentCaller, monkeypatch):
    monkeypatch.setattr(intake, "store", lambda _export, instance: 1 / len(instance.name[99:]))
    answer = post(agent, GOOD[JSON], JSON)
    assert (answer.status_code, status_in(answer).code) == (500, INTERNAL)
    assert "division" not in answer.content.decode()


def test_another_method_is_told_which_one_is_taken(agent: AgentCaller):
    answer = Client().get("/otlp/v1/traces", headers=agent.headers)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert json.loads(answer.content)["code"] == 12


@pytest.mark.parametrize("media", GOOD)
def test_a_body_above_the_cap_is_refused(agent: AgentCaller, settings: Any, media: str):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    answer = post(agent, GOOD[media] + b" " * 200, media)
    assert (answer.status_code, status_in(answer).code) == (413, INVALID)


def test_other_apis_keep_their_own_shape(agent: AgentCaller):
    assert Client().post("/api/v1/ingest", b"", content_type=JSON).json()["error"]["code"] == "unauthorized"
