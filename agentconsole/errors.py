"""Errors that people and programs are told about, and the one place that turns them into an answer."""

import json
from typing import Any, ClassVar, TypedDict

from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from agentconsole.protocol.context import current_context


class ErrorBody(TypedDict):
    """The JSON of every error of every API: `{"error": {code, message, request_id, …}}`."""

    code: str
    message: str
    request_id: str


class ConsoleError(Exception):
    """An error with a name. The message is safe to show and says what to do; `data` is typed by each subclass."""

    code: ClassVar[str] = "error"
    http_status: ClassVar[int] = 400
    close_code: ClassVar[int] = 4400
    title: ClassVar[str] = "That did not work"

    def __init__(self, message: str, *, headers: dict[str, str] | None = None, **data: Any) -> None:
        super().__init__(message)
        self.message = message
        self.headers = headers or {}
        self.data = data


class NotFoundError(ConsoleError):
    """There is no such thing, or the asker may not know of it: the two read the same."""

    code = "not_found"
    http_status = 404
    close_code = 4404
    title = "Nothing here"


class ForbiddenError(ConsoleError):
    """The person is known and may not do this."""

    code = "forbidden"
    http_status = 403
    close_code = 4403
    title = "Not yours to do"


class UnauthorizedError(ConsoleError):
    """No credential, or one that is unknown, expired or revoked."""

    code = "unauthorized"
    http_status = 401
    close_code = 4401
    title = "Sign in first"


class RateLimitedError(ConsoleError):
    """More than the credential's rate. `Retry-After` says when to come back."""

    code = "rate_limited"
    http_status = 429
    title = "Too many requests"


class TooLargeError(ConsoleError):
    """A body above its cap, as sent or once expanded."""

    code = "too_large"
    http_status = 413
    title = "Too large"


class BodyTimeoutError(ConsoleError):
    """A request that was begun and not sent to its end in time."""

    code = "request_timeout"
    http_status = 408
    title = "The request did not arrive"


class BadRequestError(ConsoleError):
    """A request that can't be read."""

    code = "bad_request"
    http_status = 400
    title = "That request can't be read"


class MethodNotAllowedError(ConsoleError):
    """A path that takes other methods, which `Allow` names."""

    code = "method_not_allowed"
    http_status = 405
    title = "Not that method"


class UnavailableError(ConsoleError):
    """The database can't be reached, or does not answer in time. `Retry-After` says when to come back."""

    code = "unavailable"
    http_status = 503
    close_code = 1013
    title = "The database is away"


class RedisUnavailableError(UnavailableError):
    """Redis can't be reached, and what was asked can't do without: it keeps several processes from doing the same thing."""

    code = "redis_unavailable"
    title = "Redis is away"


class InternalError(ConsoleError):
    """What people see of a bug: the request id to report, and nothing else."""

    code = "internal_error"
    http_status = 500
    title = "The console broke"


def error_body(error: ConsoleError) -> dict[str, Any]:
    """The JSON shape of an error."""
    context = current_context()
    body: ErrorBody = {
        "code": error.code,
        "message": error.message,
        "request_id": context.request_id if context else "",
    }
    return {"error": {**body, **error.data}}


_OTLP = ("/v1/traces", "/v1/logs", "/v1/metrics")


def is_otlp(path: str) -> bool:
    """Whether a path is one of OTLP's, below whatever prefix."""
    return path.rstrip("/").endswith(_OTLP)


def told_to_program(error: ConsoleError, *, path: str, content_type: str) -> tuple[bytes, str]:
    """The body of an API's answer to a request of that path and content type, and the answer's own content type."""
    if is_otlp(path):
        # Here, not above: those who never answer an exporter need no protobuf.
        from agentconsole.rpc_status import encoded_status

        return encoded_status(error, content_type)
    return json.dumps(error_body(error), cls=DjangoJSONEncoder).encode(), "application/json"


def is_api(request: HttpRequest) -> bool:
    """Whether a program asked: by its path, or by what it accepts."""
    return (
        request.path.startswith(("/api/", "/v1/", "/health/live", "/health/startup", "/health/ready"))
        or is_otlp(request.path)
        or (
            "application/json" in request.headers.get("Accept", "")
            and "text/html" not in request.headers.get("Accept", "")
        )
    )


def error_response(request: HttpRequest, error: ConsoleError) -> HttpResponse:
    """What the API's path has for programs, a page for people."""
    if is_api(request):
        body, content_type = told_to_program(
            error, path=request.path, content_type=request.headers.get("Content-Type", "")
        )
        response = HttpResponse(body, status=error.http_status, content_type=content_type)
    else:
        shown = {**error_body(error)["error"], "title": error.title}
        response = render(request, "error.html", {"error": shown}, status=error.http_status)
    for name, value in error.headers.items():
        response.headers[name] = value
    return response
