"""The web server: Daphne, with limits on what a body may be before the application sees it, and an orderly end."""

import asyncio
import signal
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import FrameType
from typing import Any, cast

# First: importing it installs Twisted's asyncio reactor.
from daphne.server import Server  # isort: skip
from daphne.http_protocol import HTTPFactory, WebRequest
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.logger import ILogObserver, globalLogBeginner

from agentconsole import metrics
from agentconsole.errors import BodyTimeoutError, ConsoleError, TooLargeError, told_to_program
from agentconsole.lifecycle import (
    AT_ONCE_S,
    LEAVE_S,
    OVERRUN,
    RESTART_CODE,
    Deadline,
    begin_drain,
    is_draining,
    stop_signals,
)
from agentconsole.logconf import get_logger
from agentconsole.port import refuse_newcomers, take_queued
from agentconsole.protocol.context import RequestContext, Transport, bound_context

log = get_logger(__name__)
# Twisted types its reactor as an interface without the parts that only the chosen one has.
reactor: Any = _reactor

LINGER_S = 2
DRAIN_POLL_S = 0.05
# With nothing under way for so many looks, all that had reached the process has been read.
QUIET_LOOKS = 3
# What was half open when the port took nothing new is open by then.
HANDSHAKE_S = 0.1
FAREWELL_S = 0.5
_LARGEST_FRAME = 64 * 1024
# A batch in one piece: in Daphne's stock pieces of 8 kB each makes a round through the loop, 4 ms for a batch of 512 items.
_BODY_CHUNK = 1024 * 1024


class StoppingError(ConsoleError):
    """A request that had not arrived when its web process had to stop. Nothing of it was done."""

    code = "stopping"
    http_status = 503
    title = "The console is stopping"


class ConsoleRequest(WebRequest):  # type: ignore[misc]  # Daphne has no types
    """A request that is refused while it arrives: by its announced size, its real size, or its slowness.

    Daphne keeps a whole body before it calls the application, so the application's own limits come too late.
    """

    server: "ConsoleServer"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._received = 0
        self._is_refused = False
        self._deadline = reactor.callLater(self.server.receive_timeout_s, self._time_out)

    def gotLength(self, length: int | None) -> None:  # noqa: N802  Twisted's name
        """The headers are in; `length` is the announced size, None for a chunked body."""
        super().gotLength(length)
        if length is not None and length > self.server.max_body_bytes:
            self._refuse_size()

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802  Twisted's name
        """A piece of the body."""
        self._received += len(data)
        if self._is_refused:
            return
        if self._received > self.server.max_body_bytes:
            self._refuse_size()
            return
        super().handleContentChunk(data)

    def process(self) -> Any:
        """The request is whole: on to the application."""
        self._cancel_deadline()
        return None if self._is_refused else super().process()

    def handle_reply(self, message: dict[str, Any]) -> None:
        """A piece of the answer. While the process drains, the connection ends with it."""
        if is_draining() and message.get("type") == "http.response.start" and self.channel is not None:
            self.channel.persistent = False
            self.responseHeaders.setRawHeaders(b"Connection", [b"close"])
        super().handle_reply(message)

    @property
    def is_arriving(self) -> bool:
        """Whether it was begun, and is still on its way here."""
        return bool(self._deadline.active())

    def refuse_late(self) -> None:
        """It won't arrive in time: this process has to stop."""
        self._refuse(StoppingError("This web process is stopping, and took nothing of the request. Send it again."))

    def connectionLost(self, reason: Any) -> None:  # noqa: N802  Twisted's name
        """The client went away."""
        self._cancel_deadline()
        super().connectionLost(reason)

    def _cancel_deadline(self) -> None:
        if self._deadline.active():
            self._deadline.cancel()

    def _refuse_size(self) -> None:
        limit = self.server.max_body_bytes
        self._refuse(
            TooLargeError(f"The request body is larger than {limit} bytes. Send smaller batches.", limit=limit)
        )

    def _time_out(self) -> None:
        seconds = self.server.receive_timeout_s
        self._refuse(BodyTimeoutError(f"The request did not arrive within {seconds:g} s. Send it again."))

    def _refuse(self, error: ConsoleError) -> None:
        """Answer now, then read and drop for a moment: closing on unread bytes would reset the answer away."""
        self._is_refused = True
        self._cancel_deadline()
        self.requestHeaders.removeHeader(b"expect")
        offered = {
            name.decode("latin1").lower(): values[-1].decode("latin1")
            for name, values in self.requestHeaders.getAllRawHeaders()
        }
        context = RequestContext.from_headers(offered, Transport.REST)
        with bound_context(context):
            # Twisted gives a request its own path only once it is whole.
            path = getattr(self.channel, "_path", b"").decode("latin1").partition("?")[0]
            body, content_type = told_to_program(error, path=path, content_type=offered.get("content-type", ""))
            log.warning("REQUEST_REFUSED", status=error.http_status, code=error.code, received_bytes=self._received)
        # Without its method: Twisted tells that of a request that has arrived.
        metrics.observe_request(method="", route="not received", status=error.http_status)
        transport = self.channel.transport
        transport.write(
            f"HTTP/1.1 {error.http_status} {error.title}\r\nContent-Type: {content_type}\r\n"
            f"Content-Length: {len(body)}\r\nX-Request-ID: {context.request_id}\r\nConnection: close\r\n\r\n".encode()
            + body
        )
        self.channel.setTimeout(None)
        self.channel.dataReceived = lambda _data: None
        if hasattr(transport, "loseWriteConnection"):
            transport.loseWriteConnection()
        reactor.callLater(LINGER_S, transport.abortConnection)


class ConsoleHTTPFactory(HTTPFactory):  # type: ignore[misc]  # Daphne has no types
    """Builds connections whose requests are ours."""

    def buildProtocol(self, addr: Any) -> Any:  # noqa: N802  Twisted's name
        """A connection."""
        protocol = super().buildProtocol(addr)
        protocol.requestFactory = ConsoleRequest
        return protocol


class ConsoleWebSocket(WebSocketProtocol):  # type: ignore[misc]  # Daphne has no types
    """A socket that may be closed with 1012, and whose limit is one of what it is sent."""

    maxMessagePayloadSize: int  # noqa: N815  Autobahn's name

    def sendMessage(self, *args: Any, **kwargs: Any) -> None:  # noqa: N802  Autobahn's name
        """Send a message. Autobahn holds what goes out to the limit that is set for what comes in; pages bound themselves."""
        limit, self.maxMessagePayloadSize = self.maxMessagePayloadSize, 0
        try:
            super().sendMessage(*args, **kwargs)
        finally:
            self.maxMessagePayloadSize = limit

    def serverClose(self, code: int | None = None) -> None:  # noqa: N802  Daphne's name
        """Close; autobahn's public way takes 1000 and 3000 upwards alone, and 1012 is what browsers know for a restart."""
        if code == RESTART_CODE:
            self.sendCloseFrame(code=code)
        else:
            super().serverClose(code)


class ConsoleServer(Server):  # type: ignore[misc]  # Daphne has no types
    """Serves `application` on a listening socket until it is asked to stop, then drains; asked twice, it ends at once.

    The order is told in `agentconsole/lifecycle.py`. `owns_port`: nobody else takes connections from that socket, so closing it
    must leave none of them behind. `on_closing` closes doors of other protocols, and gets the seconds that their calls may take.
    """

    def __init__(
        self,
        application: Any,
        listening: socket.socket,
        *,
        max_body_bytes: int,
        receive_timeout_s: float = 60,
        drain_s: float = 20,
        owns_port: bool = True,
        on_start: Callable[[], object] = lambda: None,
        on_closing: Callable[[float], Awaitable[object]] | None = None,
        on_drained: Callable[[], Awaitable[object]] | None = None,
    ) -> None:
        super().__init__(
            application, endpoints=["adopted"], server_name="agentconsole", request_buffer_size=_BODY_CHUNK
        )
        self.listening = listening
        self.max_body_bytes = max_body_bytes
        self.receive_timeout_s = receive_timeout_s
        self.drain_s = drain_s
        self.owns_port = owns_port
        self.on_start = on_start
        self.on_closing = on_closing
        self.on_drained = on_drained
        self.exit_code = 0
        self._deadline = Deadline()
        self._signals = 0
        self._drain: asyncio.Task[None] | None = None

    def run(self) -> int:
        """Serve; returns when the process should exit, with its exit code. A thread may still hang in a request."""
        self.connections: dict[Any, dict[str, Any]] = {}
        self.http_factory = ConsoleHTTPFactory(self)
        self.ws_factory = WebSocketFactory(self, server=self.server_name)
        self.ws_factory.protocol = ConsoleWebSocket
        self.ws_factory.setProtocolOptions(
            autoPingTimeout=self.ping_timeout,
            openHandshakeTimeout=self.websocket_handshake_timeout,
            maxMessagePayloadSize=_LARGEST_FRAME,
            maxFramePayloadSize=_LARGEST_FRAME,
        )
        globalLogBeginner.beginLoggingTo(
            [cast(ILogObserver, lambda _event: None)], redirectStandardIO=False, discardBuffer=True
        )
        self.loop = reactor._asyncioEventloop
        asyncio.set_event_loop(self.loop)
        reactor.callLater(1, self.application_checker)
        reactor.callLater(2, self.timeout_checker)
        self.port = reactor.adoptStreamPort(self.listening.fileno(), self.listening.family, self.http_factory)
        reactor.addSystemEventTrigger("before", "shutdown", self.kill_all_applications)
        host, port = self.listening.getsockname()[:2]
        reactor.callWhenRunning(self.loop.call_soon, self.on_start)
        reactor.callWhenRunning(log.info, "SERVER_STARTED", host=host, port=port)
        for number in stop_signals():
            # Python's own way, not the loop's: a second signal ends also a loop that hangs.
            signal.signal(number, self._on_signal)
        reactor.run(installSignalHandlers=False)
        return self.exit_code

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._signals += 1
        if self._signals == 1:
            self._deadline.end_by(self.drain_s + LEAVE_S, OVERRUN)
            self.loop.call_soon_threadsafe(self._begin_drain)
        else:
            self.exit_code = 128 + number
            self._deadline.end_by(AT_ONCE_S, self.exit_code)
            self.loop.call_soon_threadsafe(self._cancel_drain)

    def _begin_drain(self) -> None:
        self._drain = self.loop.create_task(self._drain_all())
        self._drain.add_done_callback(lambda _done: reactor.stop())

    def _cancel_drain(self) -> None:
        if self._drain is not None:
            self._drain.cancel()

    async def _drain_all(self) -> None:
        begin_drain()
        until = self.loop.time() + self.drain_s
        other_doors = asyncio.ensure_future(self._close_other_doors())
        await self._close_port()
        quiet = 0
        while quiet < QUIET_LOOKS and self.loop.time() < until:
            self._send_sockets_away()
            # A transport stays among the writers until its last byte has left.
            is_busy = self._under_way() or reactor.getWriters() or not other_doors.done()
            quiet = 0 if is_busy else quiet + 1
            await asyncio.sleep(DRAIN_POLL_S)
        cut_off = await self._cut_off()
        if self.on_drained is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.on_drained(), LINGER_S)
        log.info("DRAIN_FINISHED", cut_off=cut_off)

    async def _close_other_doors(self) -> None:
        if self.on_closing is not None:
            await self.on_closing(self.drain_s)

    async def _close_port(self) -> None:
        """Leave nobody in the port's queue: the kernel would reset those connections, and what they have sent."""
        if self.owns_port and refuse_newcomers(self.listening):
            await asyncio.sleep(HANDSHAKE_S)
        take_queued(self.listening, self.port.doRead)
        self.port.stopListening()
        self.listening.close()

    def _send_sockets_away(self) -> None:
        """Also those that were only opening a moment ago."""
        for protocol in list(self.connections):
            if isinstance(protocol, ConsoleWebSocket) and protocol.state == ConsoleWebSocket.STATE_OPEN:
                protocol.serverClose(code=RESTART_CODE)

    async def _cut_off(self) -> int:
        """The deadline is over: say what is left, and tell those who only now would have been heard."""
        left_over = self._under_way()
        for protocol in left_over:
            is_arriving = isinstance(protocol, ConsoleRequest) and protocol.is_arriving
            if is_arriving:
                protocol.refuse_late()
            log.warning("REQUEST_CUT_OFF", is_arriving=is_arriving, **_names(protocol))
        if left_over:
            await asyncio.sleep(FAREWELL_S)
        return len(left_over)

    def _under_way(self) -> list[Any]:
        """The requests that are arriving or at work, and the sockets that are not gone."""
        # Daphne gives a connection its application only once its request has arrived, and takes it away when it is done.
        return [
            protocol
            for protocol, details in self.connections.items()
            if (isinstance(protocol, ConsoleRequest) and protocol.is_arriving)
            or ((application := details.get("application_instance")) is not None and not application.done())
        ]

    def kill_all_applications(self) -> Deferred[Any]:
        """Cancel what the drain left over, and wait for it; not for a thread that hangs."""
        instances = (details.get("application_instance") for details in self.connections.values())
        left_over = [instance for instance in instances if instance is not None and not instance.done()]
        for instance in left_over:
            instance.cancel()
        gone: asyncio.Future[Any] = asyncio.gather(*left_over, return_exceptions=True)
        return Deferred.fromFuture(self.loop.create_task(asyncio.wait([gone], timeout=FAREWELL_S)))


def _names(protocol: Any) -> dict[str, str]:
    """What is known of a request or a socket: of one that has not arrived little is."""
    method, path = getattr(protocol, "method", b""), getattr(protocol, "path", b"")
    return {
        name: value.decode("latin1") if isinstance(value, bytes) else str(value)
        for name, value in (("method", method), ("path", path))
        if value and value != b"(no method yet)"
    }
