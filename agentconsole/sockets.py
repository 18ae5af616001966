"""What every connection passes on its way to Django or Channels: limits, the origin of a socket, its request context."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from django.conf import settings
from django.http.request import split_domain_port, validate_host
from django.utils.http import is_same_domain

from agentconsole import metrics
from agentconsole.errors import TooLargeError, told_to_program
from agentconsole.logconf import get_logger
from agentconsole.protocol.context import RequestContext, Transport, bound_context

log = get_logger(__name__)

Scope = dict[str, Any]
Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class BodyLimit:
    """Answers 413 to a body above INGEST_MAX_BYTES: by its announced size before reading, else as soon as it is exceeded.

    Django would write it to disk first. The console's own server refuses sooner still; this holds under any other.
    """

    def __init__(self, application: Application) -> None:
        self.application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its body counted."""
        announced = headers_of(scope).get("content-length", "")
        counted = _Counted(receive, send, limit=settings.INGEST_MAX_BYTES)
        if announced.isdecimal() and int(announced) > counted.limit:
            counted.is_exceeded = True
        else:
            await self.application(scope, counted.receive, counted.send)
        if counted.is_exceeded and not counted.is_answered:
            await _send_too_large(scope, send, counted.limit)


class _Counted:
    """A request's two channels. Once its body is too large the application is told that the client has gone."""

    def __init__(self, receive: Receive, send: Send, *, limit: int) -> None:
        self._receive = receive
        self._send = send
        self.limit = limit
        self.received = 0
        self.is_exceeded = False
        self.is_answered = False

    async def receive(self) -> Message:
        message = await self._receive()
        self.received += len(message.get("body", b""))
        self.is_exceeded = self.is_exceeded or self.received > self.limit
        return {"type": "http.disconnect"} if self.is_exceeded else message

    async def send(self, message: Message) -> None:
        self.is_answered = True
        await self._send(message)


async def _send_too_large(scope: Scope, send: Send, limit: int) -> None:
    offered = headers_of(scope)
    context = RequestContext.from_headers(offered, Transport.REST)
    with bound_context(context):
        error = TooLargeError(f"The request body is larger than {limit} bytes. Send smaller batches.")
        body, content_type = told_to_program(error, path=scope["path"], content_type=offered.get("content-type", ""))
        log.warning("REQUEST_REFUSED", status=error.http_status, code=error.code, path=scope["path"])
    metrics.observe_request(method=scope.get("method", ""), route="too large", status=error.http_status)
    headers = [
        (b"content-type", content_type.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"x-request-id", context.request_id.encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": error.http_status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class OwnOrigin:
    """Refuses a socket that another site's page opens: its `Origin` must be this host, or one of CSRF_TRUSTED_ORIGINS.

    Stricter than Channels' validator, which compares host names only: cookies don't know ports, so a page on another
    port of the same machine would ride on a person's session.
    """

    def __init__(self, application: Application) -> None:
        self.application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the socket on, or deny its handshake with 403."""
        headers = headers_of(scope)
        if is_own_origin(headers.get("origin", ""), headers.get("host", "")):
            await self.application(scope, receive, send)
        else:
            await deny(scope, receive, send)


async def deny(scope: Scope, receive: Receive, send: Send) -> None:
    """Deny a socket its handshake. Channels' own denier would listen on the channel layer for it."""
    await receive()
    await send({"type": "websocket.close"})


def is_own_origin(origin: str, host: str) -> bool:
    """Whether a page of `origin` may open a socket to `host`, as Django's CSRF check would have it for a form."""
    scheme, _, place = origin.lower().partition("://")
    if scheme not in ("http", "https"):
        return False
    for trusted in settings.CSRF_TRUSTED_ORIGINS:
        trusted_scheme, _, trusted_place = trusted.lower().partition("://")
        if scheme == trusted_scheme and is_same_domain(place, trusted_place.removeprefix("*")):
            return True
    name, _port = split_domain_port(host)
    return bool(name) and validate_host(name, settings.ALLOWED_HOSTS) and place == host.lower()


class SocketContext:
    """Makes a socket's request context, as the HTTP middleware does for a request, and binds it for its whole life."""

    def __init__(self, application: Application) -> None:
        self.application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the socket on with `scope["context"]`. Needs `scope["user"]`."""
        context = RequestContext.from_headers(headers_of(scope), Transport.WEBSOCKET)
        context = context.with_actor(scope["user"].get_username())
        with bound_context(context):
            await self.application({**scope, "context": context}, receive, send)


def headers_of(scope: Scope) -> dict[str, str]:
    """A connection's headers by lower-case name; of several alike the last."""
    return {name.decode("latin1").lower(): value.decode("latin1") for name, value in scope["headers"]}
