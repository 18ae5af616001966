"""JSON over HTTP: a run as a file."""

import uuid
from typing import Literal

from django.http import HttpRequest, StreamingHttpResponse
from ninja import Router

from runs.access import run_for
from runs.api import ApiError, signed_in
from traces.exporting.streaming import as_json, as_otlp

router = Router(tags=["runs"])


@router.get("/runs/{uuid:run_id}/export", response={401: ApiError, 404: ApiError}, operation_id="run_export")
def export_run(
    request: HttpRequest,
    run_id: uuid.UUID,
    format: Literal["json", "otlp"] = "json",  # noqa: A002  the query's word
) -> StreamingHttpResponse:
    """A whole run as a file, streamed. Signed-in people only.

    `json`: `{"format": "agentconsole.run/1", "run": its summary, "items": [...]}`; the items are those of the ingest, which
    takes them again. `otlp`: lines of OTLP/JSON, each an export request; sent to `/v1/traces` and to `/v1/logs` of a console, they
    are the same rows there, and any other backend reads them as its own.
    """
    signed_in(request)
    run = run_for(request.user, run_id)
    body, kind, ending = (
        (as_json(run), "application/json", "json")
        if format == "json"
        else (as_otlp(run), "application/x-ndjson", "otlp.jsonl")
    )
    response = StreamingHttpResponse(body, content_type=kind)
    response.headers["Content-Disposition"] = f'attachment; filename="run-{run.id}.{ending}"'
    return response
