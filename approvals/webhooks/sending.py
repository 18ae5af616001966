"""One POST to a receiver: resolved once, judged, and connected to exactly the address that was judged."""

import socket
import ssl
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

import httpcore
from django.conf import settings

from approvals.webhooks.addresses import InvalidWebhookUrlError, checked_url, may_be_called
from approvals.webhooks.signing import signature

ATTEMPT_S = 10.0
ANSWER_MAX = 64 * 1024
ADDRESSES_MAX = 4
_USER_AGENT = b"agentconsole-webhooks/1"

Resolver = Callable[[str, int], list[str]]


class RefusedAddressError(Exception):
    """A name that leads to an address that must not be called."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver answered. Status 0: nothing in time; `error` says what went wrong, without the URL."""

    status: int
    body: bytes = b""
    retry_after_s: float | None = None
    error: str = ""
    is_refused: bool = False  # never sent: its name leads to an address that must not be called

    @property
    def is_acknowledged(self) -> bool:
        """Whether it has it for good."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES


def resolve(host: str, port: int) -> list[str]:
    """Every address of a name. OSError."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


class _Judged(httpcore.SyncBackend):
    """Connects to addresses that were judged, never to names: what DNS says a moment later doesn't matter."""

    def __init__(self, resolver: Resolver, deadline: float, *, allow_private: bool) -> None:
        super().__init__()
        self._resolver = resolver
        self._deadline = deadline
        self._allow_private = allow_private

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """A stream to one of the name's addresses; none if any of them must not be called."""
        addresses = _in_time(self._resolver, host, port, _left(self._deadline))
        if not addresses or not all(may_be_called(each, allow_private=self._allow_private) for each in addresses):
            raise RefusedAddressError
        tried = addresses[:ADDRESSES_MAX]
        for number, address in enumerate(tried):
            share_s = _left(self._deadline) / (len(tried) - number)
            try:
                stream = super().connect_tcp(address, port, share_s, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if address == tried[-1]:
                    raise
            else:
                return _Hurried(stream, self._deadline)
        raise RefusedAddressError


def _left(deadline: float) -> float:
    left_s = deadline - time.monotonic()
    if left_s <= 0:
        raise httpcore.ReadTimeout("the attempt's time is over")
    return left_s


def _in_time(resolver: Resolver, host: str, port: int, within_s: float) -> list[str]:
    """What a resolver finds. `getaddrinfo` takes no time limit, and a slow name server holds it for half a minute."""
    found: SimpleQueue[list[str] | Exception] = SimpleQueue()

    def look() -> None:
        try:
            found.put(resolver(host, port))
        except Exception as error:  # noqa: BLE001  told to whoever waits, in its own thread
            found.put(error)

    Thread(target=look, daemon=True, name="webhook-resolver").start()
    try:
        answer = found.get(timeout=within_s)
    except Empty:
        raise httpcore.ConnectTimeout("its name was not resolved in time") from None
    if isinstance(answer, Exception):
        raise answer
    return answer


class _Hurried(httpcore.NetworkStream):
    """A stream whose every read and write ends with the attempt: a receiver that drips can't keep a worker."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read within what is left."""
        return self._stream.read(max_bytes, _left(self._deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write within what is left."""
        self._stream.write(buffer, _left(self._deadline))

    def close(self) -> None:
        """Close."""
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """TLS for the name, whatever address it has."""
        return _Hurried(self._stream.start_tls(ssl_context, server_hostname, _left(self._deadline)), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        """What the stream knows of itself."""
        return self._stream.get_extra_info(info)


def post_signed(
    url: str,
    *,
    message_id: str,
    body: bytes,
    secret: str,
    within_s: float | None = None,
    is_answer_read: bool = False,
    resolver: Resolver = resolve,
) -> Answer:
    """Send a signed message, once: no redirects, no proxies, ATTEMPT_S or less in all. Never raises for what the network does.

    Without `is_answer_read` a status is the whole answer: what follows it is neither awaited nor judged.
    """
    deadline = time.monotonic() + min(ATTEMPT_S, ATTEMPT_S if within_s is None else within_s)
    headers = _headers(message_id, body, secret)
    try:
        return _sent(url, headers, body, deadline, resolver, is_answer_read=is_answer_read)
    except RefusedAddressError:
        return Answer(0, error="refused address", is_refused=True)
    except InvalidWebhookUrlError as error:
        return Answer(0, error=error.message)
    except (httpcore.TimeoutException, TimeoutError):
        return Answer(0, error="no answer in time")
    except (httpcore.NetworkError, httpcore.ProtocolError, OSError, ValueError) as error:
        return Answer(0, error=type(error).__name__)


def _headers(message_id: str, body: bytes, secret: str) -> list[tuple[bytes, bytes]]:
    stamp = int(time.time())
    return [
        (b"Content-Length", str(len(body)).encode()),
        (b"Content-Type", b"application/json"),
        (b"User-Agent", _USER_AGENT),
        (b"webhook-id", message_id.encode()),
        (b"webhook-timestamp", str(stamp).encode()),
        (b"webhook-signature", signature(secret, message_id, stamp, body).encode()),
    ]


def _sent(
    url: str,
    headers: list[tuple[bytes, bytes]],
    body: bytes,
    deadline: float,
    resolver: Resolver,
    *,
    is_answer_read: bool,
) -> Answer:
    allow_private = settings.WEBHOOK_ALLOW_PRIVATE
    target = httpcore.URL(checked_url(url, allow_private=allow_private))
    named = [(b"Host", _host(target)), *headers]
    backend = _Judged(resolver, deadline, allow_private=allow_private)
    limits = dict.fromkeys(("connect", "read", "write", "pool"), ATTEMPT_S)
    with (
        httpcore.ConnectionPool(network_backend=backend, retries=0, ssl_context=_tls()) as pool,
        pool.stream("POST", target, headers=named, content=body, extensions={"timeout": limits}) as response,
    ):
        return _answer(response, is_answer_read=is_answer_read)


def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _host(target: httpcore.URL) -> bytes:
    default = {b"https": 443, b"http": 80}[target.scheme]
    return target.host if target.port in (None, default) else b"%b:%d" % (target.host, target.port)


def _answer(response: httpcore.Response, *, is_answer_read: bool) -> Answer:
    body = b""
    for piece in response.iter_stream() if is_answer_read else ():
        body += piece
        if len(body) > ANSWER_MAX:
            return Answer(0, error="the answer is too large")
    header = next((value for name, value in response.headers if name.lower() == b"retry-after"), b"")
    return Answer(response.status, body, retry_after_s(header.decode("latin1")))


def retry_after_s(header: str) -> float | None:
    """Seconds of a `Retry-After` header, in seconds or as an HTTP date; None if there is none."""
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time()) if text else None
    except (ValueError, TypeError, OverflowError):
        return None
