"""JSON over HTTP: the native ingest for agents, a run's log for browsers."""

import uuid
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router
from pydantic import BaseModel, Field

from agentconsole import ratelimit
from agentconsole.errors import NotFoundError, UnauthorizedError
from runs.access import run_for
from runs.ingest import IngestAnswer, ingest_body
from runs.ingest.door import admit, sent_by
from runs.ingest.wire import Item
from runs.models import Span
from runs.queries.instance import InstanceShape, instance_shape
from runs.queries.log import LIMIT, RunLog, run_log
from runs.queries.shapes import WholeSpanShape, whole_span_shape
from runs.services.credentials import authenticate_instance

router = Router(tags=["runs"])

# In ten seconds: what a readiness probe, a script in a loop and a person with curl need together, and more.
INSTANCE_READS = 300


class IngestBody(BaseModel):
    """What `POST /api/v1/ingest` takes as JSON; as NDJSON, one item a line."""

    sent_at: str | None = None
    items: list[Annotated[Item, Field(discriminator="type")]]


class Cursor(BaseModel):
    """A place in a run's log, and how many rows to read from there."""

    after: Annotated[int, Field(ge=0, le=2**53)] = 0
    limit: Annotated[int, Field(ge=1, le=LIMIT)] = LIMIT


class ApiErrorDetail(BaseModel):
    """What went wrong; `request_id` finds it in the console's logs."""

    code: str
    message: str
    request_id: str


class ApiError(BaseModel):
    """The body of every answer that is no success."""

    error: ApiErrorDetail


def _ingest_schema() -> dict[str, Any]:
    schema = IngestBody.model_json_schema(ref_template="#/components/schemas/{model}")
    schema.pop("$defs", None)
    return {
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": schema},
                "application/x-ndjson": {"schema": {"type": "string", "description": "one item a line"}},
            },
        },
        "security": [{"InstanceCredential": []}],
    }


@router.post(
    "/ingest",
    response={200: IngestAnswer, 400: ApiError, 401: ApiError, 413: ApiError, 415: ApiError, 429: ApiError},
    openapi_extra=_ingest_schema(),
    operation_id="ingest",
)
def ingest(request: HttpRequest) -> IngestAnswer:
    """Store a batch of items of runs.

    200 means committed, for every item that is not named under `rejected`. Sending an item twice is harmless. Items of
    runs that are not known yet are kept and placed when the rest arrives.
    """
    instance = admit(request.headers.get("Authorization", ""))
    with sent_by(instance):
        return ingest_body(
            request.body,
            content_type=request.headers.get("Content-Type", ""),
            content_encoding=request.headers.get("Content-Encoding", ""),
            instance=instance,
        )


@router.get(
    "/instance",
    response={200: InstanceShape, 401: ApiError, 429: ApiError},
    openapi_extra={"security": [{"InstanceCredential": []}]},
    operation_id="instance",
)
def read_instance(request: HttpRequest) -> InstanceShape:
    """How the instance whose credential asks stands, as the console sees it: its state, its components, what it lacks."""
    instance = authenticate_instance(request.headers.get("Authorization", ""))
    ratelimit.spend(f"instance:{instance.id}", limit=INSTANCE_READS)
    return instance_shape(instance, timezone.now())


@router.get("/runs/{uuid:run_id}/log", response={200: RunLog, 401: ApiError, 404: ApiError}, operation_id="run_log")
def read_run_log(request: HttpRequest, run_id: uuid.UUID, cursor: Query[Cursor]) -> RunLog:
    """A run's log from a cursor on; `seq` of one answer is `after` of the next, while `more`. Signed-in people only."""
    signed_in(request)
    run_for(request.user, run_id)
    found = run_log(run_id, cursor.after, cursor.limit)
    if found is None:
        raise NotFoundError("The run was deleted.")
    return found


@router.get(
    "/runs/{uuid:run_id}/spans/{span_id}",
    response={200: WholeSpanShape, 401: ApiError, 404: ApiError},
    operation_id="run_span",
)
def read_span(request: HttpRequest, run_id: uuid.UUID, span_id: str) -> WholeSpanShape:
    """A span with its arguments, result and attributes. Signed-in people only."""
    signed_in(request)
    run_for(request.user, run_id)
    span = Span.objects.filter(run_id=run_id, span_id=span_id).first()
    if span is None:
        raise NotFoundError("The run has no such span, or it has not arrived yet.")
    return whole_span_shape(span)


def signed_in(request: HttpRequest) -> Literal[True]:
    """UnauthorizedError unless a person is."""
    if not request.user.is_authenticated:
        raise UnauthorizedError("Sign in to the console first.")
    return True
