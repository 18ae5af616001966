"""The health page."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone

from agentconsole.health.board import board
from agentconsole.health.probes import answer_to
from runs.access import Role, requires


def probe(request: HttpRequest) -> JsonResponse:
    """A probe under a server that does not put `with_probes` in front of Django."""
    answer = answer_to(request.path)
    assert answer is not None
    status, content = answer
    return JsonResponse(content, status=status)


@requires(Role.VIEWER)
def health(request: HttpRequest) -> HttpResponse:
    """The board, for people: exactly what the probe answers, in words."""
    now = timezone.now()
    report = board.report(now)
    parts = [
        {
            **report["components"][component.name],
            "name": component.name,
            "title": component.title,
            "proven_at": board.proven_at(component.name),
        }
        for component in board.components
    ]
    return render(request, "health/board.html", {"report": report, "parts": parts, "now": now})


@requires(Role.NOBODY)
def state(request: HttpRequest) -> JsonResponse:
    """The one word of the readiness probe, always with 200: a page that asks wants to know, not to fail."""
    return JsonResponse({"status": board.report()["status"]})
