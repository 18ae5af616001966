"""The JSON API under /api/v1, its OpenAPI document and the page that shows it."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from pydantic.json_schema import models_json_schema

from agentconsole.errors import BadRequestError, error_response
from agentconsole.middleware import as_console_error
from runs.api import IngestBody
from runs.api import router as runs_router


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


def _render(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error_response(request, as_console_error(exception))


def _render_invalid(request: HttpRequest, exception: ValidationError) -> HttpResponse:
    first = exception.errors[0]
    place = ".".join(str(step) for step in first.get("loc", ())[2:]) or "the request"
    return error_response(request, BadRequestError(f"{place}: {first.get('msg', 'not valid')}"))


def _render_http_error(request: HttpRequest, exception: HttpError) -> HttpResponse:
    return error_response(request, BadRequestError(str(exception)))


api.add_exception_handler(Exception, _render)
api.add_exception_handler(Http404, _render)
api.add_exception_handler(ValidationError, _render_invalid)
api.add_exception_handler(HttpError, _render_http_error)
