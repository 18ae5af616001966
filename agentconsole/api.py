"""The JSON API under /api/v1, its OpenAPI document and the page that shows it."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from pydantic.json_schema import models_json_schema

from agentconsole.apidocs import reference
from agentconsole.errors import BadRequestError, error_response
from agentconsole.middleware import as_console_error
from approvals.api import router as approvals_router
from runs.access import Role, requires
from runs.api import IngestBody
from runs.api import router as runs_router
from traces.api import router as traces_router


class ConsoleAPI(NinjaAPI):
    """A NinjaAPI whose document also holds what ninja does not read itself: the ingest's items and the credential."""

    def get_openapi_schema(self, *args: Any, **kwargs: Any) -> Any:
        """The OpenAPI document, with the schemas of the ingest's items."""
        document = super().get_openapi_schema(*args, **kwargs)
        _, definitions = models_json_schema([(IngestBody, "validation")], ref_template="#/components/schemas/{model}")
        components = document.setdefault("components", {})
        components.setdefault("schemas", {}).update(definitions["$defs"])
        components["securitySchemes"] = {
            "InstanceCredential": {"type": "http", "scheme": "bearer", "description": "An agent instance's credential"}
        }
        return document


api = ConsoleAPI(
    title="Agent Console",
    version="1",
    description="Ingest for agents, and a run's log for browsers.",
    docs_url=None,
    openapi_url="/openapi.json",
    urls_namespace="api-v1",
)
api.add_router("", runs_router)
api.add_router("", approvals_router)
api.add_router("", traces_router)


def _render(request: HttpRequest, exception: Any) -> HttpResponse:
    """One shape for every error, ninja's own included."""
    match exception:
        case ValidationError():
            first = exception.errors[0]
            place = ".".join(str(step) for step in first.get("loc", ())[2:]) or "the request"
            exception = BadRequestError(f"{place}: {first.get('msg', 'not valid')}")
        case HttpError():
            exception = BadRequestError(str(exception))
    return error_response(request, as_console_error(exception))


for _kind in (Exception, Http404, ValidationError, HttpError):
    api.add_exception_handler(_kind, _render)


@requires(Role.NOBODY)
def api_docs(request: HttpRequest) -> HttpResponse:
    """The reference page. Anybody who is signed in reads it: an agent's author needs no role."""
    return render(request, "api/docs.html", {"reference": reference(api.get_openapi_schema())})
