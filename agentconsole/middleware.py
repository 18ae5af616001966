"""What every HTTP request passes through: its context first, its errors last."""

import sys
import time
from collections.abc import Callable
from uuid import UUID

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from redis.exceptions import RedisError

from agentconsole import metrics, telemetry
from agentconsole.errors import (
    BadRequestError,
    ConsoleError,
    ForbiddenError,
    InternalError,
    NotFoundError,
    RedisUnavailableError,
    TooLargeError,
    UnavailableError,
    error_response,
    is_otlp,
)
from agentconsole.logconf import get_logger
from agentconsole.protocol.context import RequestContext, Transport, bound_context
from agentconsole.protocol.ids import uuid7

log = get_logger(__name__)

GetResponse = Callable[[HttpRequest], HttpResponseBase]
AAP_PREFIX = "/api/aap/"
_QUIET_PREFIXES = ("/static/", "/health/")


class RequestContextMiddleware:
    """Makes the request's context, binds it for the length of the request, and answers with its id.

    `X-Request-ID` of a sane form and `traceparent` are taken over; else an id is minted. Code that learns who the actor
    is binds a richer context (`RequestContext.with_actor`).
    """

    sync_capable = True
    async_capable = False

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """The answer, with `X-Request-ID`."""
        context, started = _context_of(request), time.perf_counter()
        traceparent = request.headers.get("traceparent", "")
        with (
            telemetry.request_span(
                context, method=request.method or "", path=request.path, traceparent=traceparent
            ) as context,
            bound_context(context),
        ):
            return _finish(request, self.get_response(request), context, started)


def _context_of(request: HttpRequest) -> RequestContext:
    headers = {name.lower(): value for name, value in request.headers.items()}
    if request.path.startswith(AAP_PREFIX):
        headers["x-request-id"] = uuid_request_id(headers.get("x-request-id", ""))
    is_rest = request.path.startswith(("/api/", "/v1/")) or is_otlp(request.path)
    transport = Transport.REST if is_rest else Transport.WEB
    return RequestContext.from_headers(headers, transport)


def uuid_request_id(offered: str) -> str:
    """The offered id if it is a UUID, which is what AAP calls an exchange by; else a new one."""
    try:
        return str(UUID(offered))
    except ValueError:
        return str(uuid7())


def _finish(
    request: HttpRequest, response: HttpResponseBase, context: RequestContext, started: float
) -> HttpResponseBase:
    response.headers["X-Request-ID"] = context.request_id
    taken_s = time.perf_counter() - started
    method, route = request.method or "", _route_of(request)
    metrics.observe_request(method=method, route=route, status=response.status_code, seconds=taken_s)
    telemetry.note_answer(method=method, route=route, status=response.status_code)
    if not request.path.startswith(_QUIET_PREFIXES):
        log.info(
            "REQUEST_FINISHED",
            method=request.method,
            path=request.path,
            status=response.status_code,
            duration_ms=round(taken_s * 1000),
        )
    return response


def _route_of(request: HttpRequest) -> str:
    """The URL pattern that took the request: of these there are so many, of paths there is no end."""
    if request.resolver_match is not None:
        return request.resolver_match.route or "/"
    return "static/" if request.path.startswith("/static/") else "unmatched"


class ErrorMiddleware:
    """Renders every error of a view through `errors.error_response`.

    The innermost middleware, and synchronous: Django then runs all the others in one thread too. While WhiteNoise, which
    knows no other way, stood alone in the middle, each request changed threads some twenty times.
    """

    sync_capable = True
    async_capable = False

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Pass on; errors come by `process_exception`."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse:
        """The answer to an exception that a view let through."""
        return error_response(request, as_console_error(exception))


_TOLD: tuple[tuple[tuple[type[Exception], ...], type[ConsoleError], str], ...] = (
    ((Http404,), NotFoundError, "There is no such page, or it is in an environment that you can't see."),
    ((PermissionDenied,), ForbiddenError, "Your account may not do this. Ask an admin of this console."),
    ((RequestDataTooBig,), TooLargeError, "The request body is larger than this console takes. Send smaller batches."),
    ((SuspiciousOperation,), BadRequestError, "The request was refused as malformed."),
)


def as_console_error(exception: Exception) -> ConsoleError:
    """The named error for any exception; an unknown one is logged as a bug and told as one."""
    if isinstance(exception, ConsoleError):
        return exception
    for kinds, error, message in _TOLD:
        if isinstance(exception, kinds):
            return error(message)
    log.error("REQUEST_FAILED", error=type(exception).__name__, exc_info=exception)
    if isinstance(exception, OperationalError | InterfaceError):
        message = "The console can't reach its database, or waits for it too long. Try again in a moment."
        return UnavailableError(message, headers={"Retry-After": "2"})
    if isinstance(exception, RedisError):
        message = "The console can't reach its Redis, which this needs. Try again in a moment."
        return RedisUnavailableError(message, headers={"Retry-After": "2"})
    return InternalError("This is a bug in the console. Its logs tell the story under this request ID.")


def answer_unknown_path(request: HttpRequest, exception: Exception) -> HttpResponse:
    """`handler404`: a path that no URL matches reaches no view, so ErrorMiddleware never sees it."""
    return error_response(
        request, NotFoundError("There is no such page. Paste an ID into the search, or start at Runs.")
    )


def answer_refused(request: HttpRequest, exception: Exception) -> HttpResponse:
    """`handler400` and `handler403`: what Django refuses before a view."""
    return error_response(request, as_console_error(exception))


def answer_broken(request: HttpRequest) -> HttpResponse:
    """`handler500`: what broke outside of any view: in a middleware that could not read a session, say."""
    raised = sys.exc_info()[1]
    return error_response(request, as_console_error(raised if isinstance(raised, Exception) else RuntimeError()))


def answer_forged(request: HttpRequest, reason: str = "") -> HttpResponse:
    """`CSRF_FAILURE_VIEW`: a form without its token, or from another site's page."""
    log.warning("REQUEST_REFUSED", status=ForbiddenError.http_status, code="csrf_failed", reason=reason)
    message = "The form did not come from a page of this console, or is too old. Go back and reload it."
    return error_response(request, ForbiddenError(message))
