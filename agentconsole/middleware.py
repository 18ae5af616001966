"""What every HTTP request passes through: its context first, its errors last."""

import time
from collections.abc import Awaitable, Callable
from typing import cast

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase

from agentconsole.errors import (
    BadRequestError,
    ConsoleError,
    ForbiddenError,
    InternalError,
    NotFoundError,
    TooLargeError,
    UnavailableError,
    error_response,
)
from agentconsole.logconf import get_logger
from agentconsole.protocol.context import RequestContext, Transport, bound_context

log = get_logger(__name__)

GetResponse = Callable[[HttpRequest], HttpResponseBase] | Callable[[HttpRequest], Awaitable[HttpResponseBase]]
_QUIET_PREFIXES = ("/static/", "/health/")


class RequestContextMiddleware:
    """Makes the request's context, binds it for the length of the request, and answers with its id.

    `X-Request-ID` of a sane form and `traceparent` are taken over; else an id is minted. The context is
    `request.context`; views that learn who the actor is bind a richer one with `identify`.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self.is_async:
            return self._answer_async(request)
        context, started = _context_of(request), time.perf_counter()
        with bound_context(context):
            response = cast(HttpResponseBase, self.get_response(request))
            return _finish(request, response, context, started)

    async def _answer_async(self, request: HttpRequest) -> HttpResponseBase:
        context, started = _context_of(request), time.perf_counter()
        with bound_context(context):
            response = await cast(Awaitable[HttpResponseBase], self.get_response(request))
            return _finish(request, response, context, started)


def _context_of(request: HttpRequest) -> RequestContext:
    headers = {name.lower(): value for name, value in request.headers.items()}
    transport = Transport.REST if request.path.startswith(("/api/", "/v1/")) else Transport.WEB
    return RequestContext.from_headers(headers, transport)


def _finish(
    request: HttpRequest, response: HttpResponseBase, context: RequestContext, started: float
) -> HttpResponseBase:
    response.headers["X-Request-ID"] = context.request_id
    if not request.path.startswith(_QUIET_PREFIXES):
        log.info(
            "REQUEST_FINISHED",
            method=request.method,
            path=request.path,
            status=response.status_code,
            duration_ms=round((time.perf_counter() - started) * 1000),
        )
    return response


class ErrorMiddleware:
    """Renders every error of a view through `errors.error_response`."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
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
    """`handler500`: what broke outside of any view."""
    return error_response(
        request, InternalError("This is a bug in the console. Its logs tell the story under this request ID.")
    )


def answer_forged(request: HttpRequest, reason: str = "") -> HttpResponse:
    """`CSRF_FAILURE_VIEW`: a form without its token, or from another site's page."""
    log.warning("REQUEST_REFUSED", status=ForbiddenError.http_status, code="csrf_failed", reason=reason)
    message = "The form did not come from a page of this console, or is too old. Go back and reload it."
    return error_response(request, ForbiddenError(message))
