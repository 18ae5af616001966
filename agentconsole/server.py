"""The web server: Daphne, with limits on what a body may be before the application sees it, and an orderly end."""

import asyncio
import json
import signal
import socket
from collections.abc import Callable
from typing import Any, cast

# First: importing it installs Twisted's asyncio reactor.
from daphne.server import Server  # isort: skip
from daphne.http_protocol import HTTPFactory, WebRequest
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.logger import ILogObserver, globalLogBeginner

from agentconsole.errors import ConsoleError, TooLargeError, error_body
from agentconsole.lifecycle import begin_drain, is_draining
from agentconsole.logconf import get_logger
from agentconsole.protocol.context import RequestContext, Transport, bound_context

log = get_logger(__name__)
# Twisted types its reactor as an interface without the parts that only the chosen one has.
reactor: Any = _reactor

LINGER_S = 2
DRAIN_POLL_S = 0.05
RESTART_CODE = 1012
_LARGEST_FRAME = 64 * 1024
# A batch in one piece: in Daphne's stock pieces of 8 kB each makes a round through the loop, 4 ms for a batch of 512 items.
_BODY_CHUNK = 1024 * 1024


class BodyTimeoutError(ConsoleError):
    """A request that was begun and not sent to its end in time."""

    code = "request_timeout"
    http_status = 408
    title = "The request did not arrive"


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
        if self._is_refused:
            return None
        if is_draining():
            self.channel.persistent = False
            self.responseHeaders.setRawHeaders(b"Connection", [b"close"])
        return super().process()

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
            body = json.dumps(error_body(error)).encode()
            log.warning("REQUEST_REFUSED", status=error.http_status, code=error.code, received_bytes=self._received)
        transport = self.channel.transport
        transport.write(
            f"HTTP/1.1 {error.http_status} {error.title}\r\nContent-Type: application/json\r\n"
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
    """A socket that may be closed with 1012."""

    def serverClose(self, code: int | None = None) -> None:  # noqa: N802  Daphne's name
        """Close; autobahn's public way takes 1000 and 3000 upwards alone, and 1012 is what browsers know for a restart."""
        if code == RESTART_CODE:
            self.sendCloseFrame(code=code)
        else:
            super().serverClose(code)


class ConsoleServer(Server):  # type: ignore[misc]  # Daphne has no types
    """Serves `application` on a listening socket until SIGTERM or SIGINT, then drains; a second signal ends at once."""

    def __init__(
        self,
        application: Any,
        listening: socket.socket,
        *,
        max_body_bytes: int,
        receive_timeout_s: float = 60,
        drain_s: float = 20,
        on_start: Callable[[], object] = lambda: None,
    ) -> None:
        super().__init__(
            application, endpoints=["adopted"], server_name="agentconsole", request_buffer_size=_BODY_CHUNK
        )
        self.listening = listening
        self.max_body_bytes = max_body_bytes
        self.receive_timeout_s = receive_timeout_s
        self.drain_s = drain_s
        self.on_start = on_start
        self._drain: asyncio.Task[None] | None = None

    def run(self) -> None:
        """Serve; returns when the process should exit."""
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
        loop = reactor._asyncioEventloop
        asyncio.set_event_loop(loop)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._on_signal)
        reactor.callLater(1, self.application_checker)
        reactor.callLater(2, self.timeout_checker)
        self.port = reactor.adoptStreamPort(self.listening.fileno(), self.listening.family, self.http_factory)
        reactor.addSystemEventTrigger("before", "shutdown", self.kill_all_applications)
        host, port = self.listening.getsockname()[:2]
        reactor.callWhenRunning(loop.call_soon, self.on_start)
        reactor.callWhenRunning(log.info, "SERVER_STARTED", host=host, port=port)
        reactor.run(installSignalHandlers=False)

    def _on_signal(self) -> None:
        if self._drain is None:
            self._drain = asyncio.get_running_loop().create_task(self._drain_all())
            self._drain.add_done_callback(lambda _done: reactor.stop())
        else:
            self._drain.cancel()

    async def _drain_all(self) -> None:
        """Take nothing new, send sockets away to come back elsewhere, let requests finish until the deadline."""
        begin_drain()
        self.port.stopListening()
        self.listening.close()
        for protocol in list(self.connections):
            if isinstance(protocol, ConsoleWebSocket) and protocol.state == ConsoleWebSocket.STATE_OPEN:
                protocol.serverClose(code=RESTART_CODE)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.drain_s
        # A transport stays among the writers until its last byte has left.
        while (self._working() or reactor.getWriters()) and loop.time() < deadline:  # noqa: ASYNC110  Daphne tells nobody
            await asyncio.sleep(DRAIN_POLL_S)
        log.info("DRAIN_FINISHED", cut_off=len(self._working()))

    def _working(self) -> list[asyncio.Future[Any]]:
        """The applications of requests and sockets that are not done."""
        # Daphne gives a connection its application only once its request has arrived, and takes it away when it is done.
        applications = (details.get("application_instance") for details in self.connections.values())
        return [application for application in applications if application is not None and not application.done()]

    def kill_all_applications(self) -> Deferred[list[Any]]:
        """Cancel what the drain left over, and wait for it."""
        left_over = self._working()
        for application in left_over:
            application.cancel()
        return Deferred.fromFuture(asyncio.gather(*left_over, return_exceptions=True))
