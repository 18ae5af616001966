"""What every call of the protocol has in common: its credential, its rate, its errors."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from agentconsole import ratelimit
from agentconsole.errors import ConsoleError, ForbiddenError, MethodNotAllowedError
from agentconsole.middleware import as_console_error
from agentconsole.protocol.context import bound_context, current_context
from approvals.aap.errors import error_text
from approvals.aap.wire import InvalidRequestError
from runs.models import AgentInstance
from runs.services.credentials import authenticate_instance

PROVISIONER_PREFIX = "acp_"
View = Callable[..., HttpResponse]


def aap_call(**views: View) -> View:
    """A path's view: by method, outside of sessions and CSRF, its errors in the protocol's shape."""

    @csrf_exempt
    def dispatch(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        view = views.get(request.method or "")
        if view is None:
            allowed = ", ".join(views)
            return _refused(MethodNotAllowedError(f"This path takes {allowed}.", headers={"Allow": allowed}))
        try:
            return view(request, *args, **kwargs)
        except Exception as error:  # noqa: BLE001  the edge of the protocol: whatever broke is told in its shape
            return _refused(as_console_error(error))

    return dispatch


def _refused(error: ConsoleError) -> HttpResponse:
    context = current_context()
    text = error_text(error, context.request_id if context else "")
    response = answered(text, error.http_status)
    for name, value in error.headers.items():
        response.headers[name] = value
    return response


def answered(text: str, status: int = 200) -> HttpResponse:
    """JSON text as a response. Decisions are never cached."""
    return HttpResponse(text, status=status, content_type="application/json", headers={"Cache-Control": "no-store"})


def as_instance(view: View) -> View:
    """The view's second argument is the instance whose credential came along; the context knows it from there on."""

    @wraps(view)
    def called(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        instance = instance_of(request.headers.get("Authorization", ""))
        context = current_context()
        if context is None:
            return view(request, instance, *args, **kwargs)
        known = context.with_actor(instance.actor, environment=instance.agent.environment_id)
        with bound_context(known):
            return view(request, instance, *args, **kwargs)

    return called


def instance_of(authorization: str) -> AgentInstance:
    """The instance that calls, within its rate. UnauthorizedError, ForbiddenError (a provisioner's token), RateLimitedError."""
    if authorization.partition(" ")[2].strip().startswith(PROVISIONER_PREFIX):
        raise ForbiddenError("A provisioner token manages instances and can't ask for approvals.")
    instance = authenticate_instance(authorization)
    ratelimit.spend(f"aap:{instance.id}", limit=settings.AAP_RATE)
    return instance


def body_of(request: HttpRequest) -> bytes:
    """The body, as JSON and within its limit. InvalidRequestError."""
    limit = settings.APPROVAL_MAX_BYTES
    announced = request.headers.get("Content-Length", "")
    if (announced.isdecimal() and int(announced) > limit) or len(request.body) > limit:
        raise TooLargeRequestError(f"The request is larger than {limit} bytes. Pass a reference to what is large.")
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if request.body and kind != "application/json":
        raise InvalidRequestError("Send Content-Type: application/json.", param="Content-Type")
    return request.body


class TooLargeRequestError(ConsoleError):
    """A request beyond APPROVAL_MAX_BYTES: nobody could read it."""

    code: ClassVar[str] = "request_too_large"
    http_status: ClassVar[int] = 400
    title: ClassVar[str] = "Too large to be read"


def action_id_in(text: str) -> UUID:
    """A request's id in a path. NotFoundError for what is none."""
    from approvals.services.ending import no_such_action

    try:
        return UUID(text)
    except ValueError as error:
        raise no_such_action() from error
