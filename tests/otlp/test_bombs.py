"""What is small and wants to be large, and what is announced and never comes, costs a web process nothing."""

import gzip
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import httpx
import pytest
from google.protobuf import json_format
from google.rpc.status_pb2 import Status

from agentconsole.rpc_status import JSON, PROTOBUF
from tests.cast import AgentCaller
from tests.otlp.bodies import a_million_attributes, request_of, span
from tests.otlp.processes import Door, door
from tests.processes.conftest import tiny
from tests.processes.tiny import Tiny
from tests.processes.tiny_server import MAX_BODY_BYTES

__all__ = ["tiny"]  # a fixture

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

MIB = 1024 * 1024
FLAT_MB = 200


@pytest.fixture(scope="module")
def web(django_db_setup: None) -> Iterator[Door]:
    """A web process."""
    with door("serve") as opened:
        yield opened


def post(web: Door, agent: AgentCaller, body: bytes, **headers: str) -> httpx.Response:
    sent = {**agent.headers, "Content-Type": PROTOBUF, **{name.replace("_", "-"): headers[name] for name in headers}}
    return httpx.post(f"http://{web.address}/v1/traces", content=body, headers=sent, timeout=60)


def bomb(mib: int) -> bytes:
    """The gzip of so many MiB of zeros, made from one."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    head = packer.compress(bytes(MIB)) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(bytes(MIB)) + packer.flush(zlib.Z_FULL_FLUSH)
    return head + block * (mib - 2) + packer.compress(bytes(MIB)) + packer.flush()


def is_fine(web: Door, agent: AgentCaller) -> bool:
    """Whether it goes on working."""
    return post(web, agent, request_of(span()).SerializeToString()).status_code == httpx.codes.OK


def test_a_bomb_is_made_as_gzip_makes_it():
    assert len(bomb(1024)) < 2 * MIB
    assert len(zlib.decompressobj(31).decompress(bomb(3))) == 3 * MIB


@pytest.mark.parametrize("at_once", [1, 4])
def test_a_gigabyte_from_a_megabyte(web: Door, agent: AgentCaller, at_once: int):
    assert is_fine(web, agent)
    before, body = web.peak_mb, bomb(1024)
    with ThreadPoolExecutor(at_once) as threads:
        answers = list(threads.map(lambda _: post(web, agent, body, Content_Encoding="gzip"), range(at_once)))
    assert [answer.status_code for answer in answers] == [413] * at_once
    assert web.peak_mb - before < FLAT_MB
    assert is_fine(web, agent)


@pytest.mark.parametrize("media", [JSON, PROTOBUF])
def test_a_million_attributes_at_once(web: Door, agent: AgentCaller, media: str):
    assert is_fine(web, agent)
    before, packed = web.peak_mb, gzip.compress(a_million_attributes(media), 1)
    with ThreadPoolExecutor(4) as threads:
        send = partial(post, web, agent, packed, Content_Encoding="gzip", Content_Type=media)
        answers = [sent.result() for sent in [threads.submit(send) for _ in range(4)]]
    assert [answer.status_code for answer in answers] == [413] * 4
    assert web.peak_mb - before < FLAT_MB
    assert is_fine(web, agent)


def test_a_hundred_megabytes_are_refused_before_they_are_read(web: Door, agent: AgentCaller):
    before, answer = web.peak_mb, post(web, agent, bytes(100 * MIB))
    assert (answer.status_code, answer.headers["Content-Type"]) == (413, PROTOBUF)
    assert Status.FromString(answer.content).code == 3
    assert web.peak_mb - before < FLAT_MB


@pytest.mark.parametrize(
    ("media", "length", "expected"), [(PROTOBUF, 10, 408), (JSON, 10, 408), (JSON, MAX_BODY_BYTES + 1, 413)]
)
def test_what_does_not_arrive_is_refused_in_otlps_words(tiny: Tiny, media: str, length: int, expected: int):
    head = f"POST /otlp/v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: {media}\r\nContent-Length: {length}\r\n\r\n"
    with tiny.raw() as connection:
        connection.sendall(head.encode() + b"abc")
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    told, _, body = answer.partition(b"\r\n\r\n")
    assert told.startswith(f"HTTP/1.1 {expected} ".encode())
    assert f"Content-Type: {media}".encode() in told
    status = Status.FromString(body) if media == PROTOBUF else json_format.Parse(body, Status())
    assert status.message.endswith((".", "again."))
