"""OTLP over gRPC: the same as over HTTP in gRPC's words, and a door that nobody holds open or shut."""

import signal
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import grpc
import pytest
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from agentconsole.management.commands.console import grpc_port
from runs.models import Span
from tests.cast import AgentCaller
from tests.certificates import certificate
from tests.otlp.bodies import request_of, span
from tests.otlp.processes import Door, door, grpc_door, listens
from tests.otlp.sending import details_in
from tests.processes.running import wait_for
from traces.otlp.grpc_door import GrpcDoor

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

GOOD = request_of(span()).SerializeToString()
WITHIN_S = 20


@pytest.fixture(scope="module")
def shared(django_db_setup: None) -> Iterator[Door]:
    """A door for all tests that leave it as it was; their credentials are their own."""
    with door("otlp_grpc", INGEST_RATE="1000000") as opened:
        yield opened


def path(signal_name: str) -> str:
    return f"/opentelemetry.proto.collector.{signal_name}.v1.{signal_name.capitalize()}Service/Export"


def call(at: Door, agent: AgentCaller | None, body: bytes = GOOD, name: str = "trace", **options: Any) -> bytes:
    """The answer to an export."""
    with grpc.insecure_channel(at.address, [("grpc.max_send_message_length", -1)]) as channel:
        export: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(path(name))
        return export(body, timeout=WITHIN_S, metadata=metadata_of(agent), **options)


def metadata_of(agent: AgentCaller | None) -> tuple[tuple[str, str], ...]:
    credential = (("authorization", f"Bearer {agent.token}"),) if agent else ()
    return (*credential, ("x-request-id", "req-mine"))


def status_of(error: grpc.RpcError) -> Status:
    """The Status in a refusal's trailing metadata; an empty one where gRPC itself refused."""
    trailing = dict(cast(Any, error).trailing_metadata())
    return Status.FromString(trailing.get("grpc-status-details-bin", b""))


def refusal(at: Door, agent: AgentCaller | None, body: bytes = GOOD, **options: Any) -> tuple[grpc.StatusCode, Status]:
    """How an export is refused: the code and the Status."""
    with pytest.raises(grpc.RpcError) as refused:
        call(at, agent, body, **options)
    return refused.value.code(), status_of(refused.value)


@contextmanager
def stalled(at: Door, agent: AgentCaller | None) -> Iterator[tuple[Any, threading.Event]]:
    """A call whose message is announced, and not sent before the event."""
    release = threading.Event()

    def messages() -> Iterator[bytes]:
        release.wait(WITHIN_S)
        yield GOOD

    with grpc.insecure_channel(at.address) as channel:
        export: grpc.StreamUnaryMultiCallable[bytes, bytes] = channel.stream_unary(path("trace"))
        yield export.future(messages(), metadata=metadata_of(agent)), release
        release.set()


def test_what_is_refused_is_counted_and_the_rest_is_stored(shared: Door, agent: AgentCaller):
    body = request_of(span(), span(span_id=b"")).SerializeToString()
    answer = ExportTraceServiceResponse.FromString(call(shared, agent, body))
    assert answer.partial_success.rejected_spans == 1
    assert Span.objects.count() == 1


def test_metrics_are_let_go_with_a_word(shared: Door, agent: AgentCaller):
    answer = ExportMetricsServiceResponse.FromString(call(shared, agent, name="metrics"))
    assert "OTEL_METRICS_EXPORTER=none" in answer.partial_success.error_message


def test_who_has_no_credential_is_told_so(shared: Door, agent: AgentCaller):
    code, status = refusal(shared, None)
    assert (code, status.code) == (grpc.StatusCode.UNAUTHENTICATED, 16)
    assert details_in(status)["ErrorInfo"]["metadata"]["request_id"] == "req-mine"


def test_a_message_that_cannot_be_read_is_an_invalid_argument(shared: Door, agent: AgentCaller):
    code, status = refusal(shared, agent, b"\xff\xff")
    assert (code, details_in(status)["ErrorInfo"]["reason"]) == (grpc.StatusCode.INVALID_ARGUMENT, "MALFORMED_BODY")


def test_too_many_calls_are_told_when_to_come_back(agent: AgentCaller):
    def send_five() -> None:
        for _ in range(5):  # whenever the window changes, three of them are in one
            call(own, agent)

    with door("otlp_grpc", INGEST_RATE="2") as own, pytest.raises(grpc.RpcError) as refused:
        send_five()
    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert details_in(status_of(refused.value))["RetryInfo"]["retryDelay"].endswith("s")


def test_messages_that_are_too_large_are_refused_in_flat_memory(shared: Door, agent: AgentCaller):
    call(shared, agent)
    before, huge = shared.peak_mb, bytes(256 * 1024 * 1024)
    with ThreadPoolExecutor(4) as threads:
        send = lambda _: refusal(shared, agent, huge, compression=grpc.Compression.Gzip)[0]  # noqa: E731
        codes = list(threads.map(send, range(4)))
    assert set(codes) == {grpc.StatusCode.RESOURCE_EXHAUSTED}
    assert shared.peak_mb - before < 300
    call(shared, agent)


def test_callers_who_send_nothing_hold_up_nobody(shared: Door, agent: AgentCaller):
    with stalled(shared, agent), stalled(shared, agent), stalled(shared, None) as (stranger, _):
        assert stranger.exception(WITHIN_S).code() is grpc.StatusCode.UNAUTHENTICATED
        began = time.monotonic()
        call(shared, agent)
        assert time.monotonic() - began < 5


@pytest.mark.parametrize("command", ["otlp_grpc", "serve"])
def test_a_call_under_way_is_answered_before_the_end(agent: AgentCaller, command: str):
    with grpc_door(command) as own, stalled(own, agent) as (late, release):
        call(own, agent)  # one that came later has been answered
        own.process.send_signal(signal.SIGTERM)
        wait_for("nobody else is let in", lambda: not listens(own.port))
        release.set()
        assert late.result(WITHIN_S) == b""
        assert own.process.wait(WITHIN_S) == 0


def test_with_files_it_speaks_tls(agent: AgentCaller, tmp_path: Path):
    public, key = certificate(tmp_path, "127.0.0.1", "localhost")
    with door("otlp_grpc", "--certificate", str(public), "--key", str(key)) as own:
        trust = grpc.ssl_channel_credentials(public.read_bytes())
        with grpc.secure_channel(own.address, trust) as channel:
            export: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(path("trace"))
            assert export(GOOD, timeout=WITHIN_S, metadata=metadata_of(agent)) == b""


def test_a_port_that_is_taken_costs_the_console_its_door_and_nothing_else(settings: Any, logged: Any):
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        settings.OTLP_GRPC_PORT = somebody.getsockname()[1]
        assert grpc_port("127.0.0.1") is None
    assert [line["port"] for line in logged("OTLP_GRPC_OFF")] == [settings.OTLP_GRPC_PORT]
    settings.OTLP_GRPC_PORT = 0
    assert grpc_port("127.0.0.1") == 0


async def test_a_port_that_is_taken_meanwhile_is_said_too(logged: Any):
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        await GrpcDoor("127.0.0.1", somebody.getsockname()[1]).open_or_say()
    assert logged("OTLP_GRPC_OFF")
