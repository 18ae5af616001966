"""A body that can't be read is a clear 4xx, in bounded memory, and nothing of it is stored."""

import gzip
import json
import random
import tracemalloc
import zlib
from typing import Any

import pytest
from django.test import Client

from runs.models import Run
from tests.cast import AgentCaller
from tests.ingest.items import new_run, run_started

pytestmark = pytest.mark.django_db


def post(agent: AgentCaller, body: bytes, encoding: str = "", content_type: str = "application/json") -> Any:
    headers = {**agent.headers, **({"Content-Encoding": encoding} if encoding else {})}
    return Client(raise_request_exception=False).post(
        "/api/v1/ingest", body, content_type=content_type, headers=headers
    )


GOOD = json.dumps({"items": [run_started(new_run())]}).encode()
BODIES = {
    "nothing": (b"", "", 400),
    "not json": (b"<xml/>", "", 400),
    "json cut short": (GOOD[:-5], "", 400),
    "a list": (b"[]", "", 400),
    "null": (b"null", "", 400),
    "no items": (b'{"item": []}', "", 400),
    "items that are an object": (b'{"items": {}}', "", 400),
    "latin-1": ('{"items": ["é"]}'.encode("latin-1"), "", 400),
    "utf-16": (GOOD.decode().encode("utf-16"), "", 400),
    "a bare NUL": (b"\x00", "", 400),
    "a hundred thousand brackets": (b'{"items": ' + b"[" * 100_000, "", 400),
    "ten thousand closed brackets": (b'{"items": ' + b"[" * 10_000 + b"]" * 10_000 + b"}", "", 400),
    "an integer of a million digits": (b'{"items": [' + b"9" * 1_000_000 + b"]}", "", (200, 400)),
    "gzip that is not": (GOOD, "gzip", 400),
    "gzip cut short": (gzip.compress(GOOD)[:-9], "gzip", 400),
    "gzip with a flipped byte": (gzip.compress(GOOD)[:-12] + b"\xff" * 12, "gzip", 400),
    "deflate that is not": (b"\x00\x01\x02", "deflate", 400),
    "an encoding nobody reads": (GOOD, "br", 415),
    "an encoding of an encoding": (GOOD, "gzip, gzip", 415),
    "six thousand items": (json.dumps({"items": [1] * 6000}).encode(), "", 413),
}


@pytest.mark.parametrize("what", BODIES)
def test_it_is_refused_with_a_reason(agent: AgentCaller, what: str):
    body, encoding, status = BODIES[what]
    answer = post(agent, body, encoding)
    assert answer.status_code in (status if isinstance(status, tuple) else (status,)), answer.content
    if answer.status_code != 200:
        error = answer.json()["error"]
        assert error["request_id"] == answer.headers["X-Request-ID"]
        assert len(error["message"]) > 10
    assert not Run.objects.exists()


def test_a_bomb_is_refused_without_being_unpacked(agent: AgentCaller, settings):
    settings.INGEST_MAX_EXPANDED_BYTES = 1024 * 1024
    bomb = gzip.compress(b"\x00" * 300_000_000, compresslevel=9)
    tracemalloc.start()
    answer = post(agent, bomb, "gzip")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "body_too_large"
    assert peak < 20_000_000


def test_a_body_above_the_cap_is_refused(agent: AgentCaller, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    assert post(agent, GOOD + b" " * 2000).status_code == 413


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
def test_gzip_and_deflate_are_read(agent: AgentCaller, pack: Any):
    encoding = "gzip" if pack is gzip.compress else "deflate"
    assert post(agent, pack(GOOD), encoding).json()["accepted"] == 1


def test_random_damage_never_breaks_the_console(agent: AgentCaller):
    rng = random.Random(11)
    for _ in range(200):
        body = bytearray(GOOD)
        for _ in range(rng.randint(1, 6)):
            body[rng.randrange(len(body))] = rng.randrange(256)
        assert post(agent, bytes(body)).status_code in (200, 400)


def test_a_get_is_told_what_is_allowed(agent: AgentCaller):
    answer = Client().get("/api/v1/ingest", headers=agent.headers)
    assert answer.status_code == 405
