"""OTLP over HTTP (https://opentelemetry.io/docs/specs/otlp/#otlphttp)."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from agentconsole.errors import MethodNotAllowedError
from agentconsole.rpc_status import encoded
from runs.ingest.door import admit, sent_by
from traces.otlp.intake import Signal, media_of, take_in


@csrf_exempt
def export(request: HttpRequest, signal: str) -> HttpResponse:
    """Store an export; 200 means committed, for every item that the answer's partial success does not count."""
    if request.method != "POST":
        raise MethodNotAllowedError("Exports are sent by POST.", headers={"Allow": "POST"})
    instance = admit(request.headers.get("Authorization", ""))
    media = media_of(request.headers.get("Content-Type", ""))
    with sent_by(instance):
        answer = take_in(
            Signal(signal),
            request.body,
            media=media,
            content_encoding=request.headers.get("Content-Encoding", ""),
            instance=instance,
        )
    return HttpResponse(encoded(answer, media), content_type=media)
