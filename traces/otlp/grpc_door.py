"""OTLP over gRPC (https://opentelemetry.io/docs/specs/otlp/#otlpgrpc): the credentials, the reading and the store of HTTP.

On asyncio, with threads for what asks the database. gRPC's synchronous server gives each call a thread before its message is there: a few
senders that announce one and send none would hold them all. Here the credential is looked at first, then the message is waited for.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NoReturn, TypeVar

import grpc
from django.conf import settings
from django.db import close_old_connections

from agentconsole import metrics
from agentconsole.errors import BodyTimeoutError, ConsoleError
from agentconsole.logconf import get_logger
from agentconsole.middleware import as_console_error
from agentconsole.protocol.context import RequestContext, Transport, bound_context
from agentconsole.rpc_status import PROTOBUF, status_of
from runs.ingest.door import admit, sent_by
from runs.ingest.errors import MalformedBodyError
from runs.models import AgentInstance
from traces.otlp.intake import Signal, take_in

log = get_logger(__name__)

Result = TypeVar("Result")
Call = grpc.aio.ServicerContext[Any, Any]

RECEIVE_WITHIN_S = 30
# Messages that are in memory at a time, or on their way there.
AT_ONCE = 16
THREADS = 8
_OK = 200
_SERVICES = {
    Signal.TRACES: "opentelemetry.proto.collector.trace.v1.TraceService",
    Signal.LOGS: "opentelemetry.proto.collector.logs.v1.LogsService",
    Signal.METRICS: "opentelemetry.proto.collector.metrics.v1.MetricsService",
}
_CODES: dict[int, grpc.StatusCode] = {code.value[0]: code for code in grpc.StatusCode}


class GrpcDoor:
    """The services of OTLP on one port. `credentials` make it TLS."""

    def __init__(self, host: str, port: int, credentials: grpc.ServerCredentials | None = None) -> None:
        self.host = host
        self._address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._credentials = credentials
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="export")
        self._at_once = asyncio.Semaphore(AT_ONCE)

    async def open(self) -> int:
        """Listen; the port. RuntimeError where that can't be had."""
        self._server = grpc.aio.server(
            options=[
                # Of the message as sent, and again while it is expanded.
                ("grpc.max_receive_message_length", settings.INGEST_MAX_EXPANDED_BYTES),
                # Else a second process would share the port without a word.
                ("grpc.so_reuseport", 0),
                ("grpc.max_concurrent_streams", 100),
                ("grpc.keepalive_time_ms", 60_000),
            ]
        )
        self._server.add_generic_rpc_handlers([self._handlers(signal, name) for signal, name in _SERVICES.items()])
        if self._credentials is None:
            port = self._server.add_insecure_port(self._address)
        else:
            port = self._server.add_secure_port(self._address, self._credentials)
        await self._server.start()
        log.info("OTLP_GRPC_STARTED", host=self.host, port=port, tls=self._credentials is not None)
        return port

    async def open_or_say(self) -> None:
        """Listen, or say that there is no listening there."""
        try:
            await self.open()
        except RuntimeError:
            log.warning("OTLP_GRPC_OFF", address=self._address, hint="stop what listens there, or set OTLP_GRPC_PORT")

    async def close(self, within_s: float) -> None:
        """Take no new calls, and let those under way finish; what then is left is cut off."""
        await self._server.stop(within_s)
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _handlers(self, signal: Signal, service: str) -> grpc.GenericRpcHandler:
        # As a stream of requests, which on the wire is the same: the one kind of call whose message is not read before it is asked for.
        export: grpc.RpcMethodHandler[Any, Any] = grpc.stream_unary_rpc_method_handler(partial(self._export, signal))
        return grpc.method_handlers_generic_handler(service, {"Export": export})

    async def _export(self, signal: Signal, messages: AsyncIterator[bytes], call: Call) -> bytes:
        offered = {name: value for name, value in call.invocation_metadata() or () if isinstance(value, str)}
        context, started = RequestContext.from_headers(offered, Transport.GRPC), time.perf_counter()
        call.set_trailing_metadata((("x-request-id", context.request_id),))
        with bound_context(context):
            try:
                instance = await self._in_thread(context, partial(admit, offered.get("authorization", "")))
                async with self._at_once:
                    body = await _message_of(messages)
                    answer = await self._in_thread(context, partial(_store, signal, body, instance))
            except Exception as raised:  # noqa: BLE001  the edge of the protocol: whatever broke is told in its words
                error = as_console_error(raised)
                _finished(signal, error.http_status, started)
                await _abort(call, context, error)
            _finished(signal, _OK, started)
            return answer

    async def _in_thread(self, context: RequestContext, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, _with_connections, context, work)


def _with_connections(context: RequestContext, work: Callable[[], Result]) -> Result:
    """As Django does around a request."""
    close_old_connections()
    try:
        with bound_context(context):
            return work()
    finally:
        close_old_connections()


def _store(signal: Signal, body: bytes, instance: AgentInstance) -> bytes:
    with sent_by(instance):
        return take_in(signal, body, media=PROTOBUF, content_encoding="", instance=instance).SerializeToString()


async def _message_of(messages: AsyncIterator[bytes]) -> bytes:
    try:
        async with asyncio.timeout(RECEIVE_WITHIN_S):
            return await anext(aiter(messages))
    except TimeoutError as error:
        raise BodyTimeoutError(f"The message did not arrive within {RECEIVE_WITHIN_S} s. Send it again.") from error
    except StopAsyncIteration as error:
        raise MalformedBodyError("The call has no message, or one that is too large. Send smaller batches.") from error


async def _abort(call: Call, context: RequestContext, error: ConsoleError) -> NoReturn:
    status = status_of(error)
    told = (("x-request-id", context.request_id), ("grpc-status-details-bin", status.SerializeToString()))
    await call.abort(_CODES[status.code], error.message, told)


def _finished(signal: Signal, status: int, started: float) -> None:
    taken_s = time.perf_counter() - started
    metrics.observe_request(method="POST", route=_SERVICES[signal], status=status, seconds=taken_s)
    log.info(
        "REQUEST_FINISHED", method="POST", path=_SERVICES[signal], status=status, duration_ms=round(taken_s * 1000)
    )
