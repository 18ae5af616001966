"""The health page."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone

from agentconsole.health.board import board
from agentconsole.health.page import health_page
from agentconsole.health.probes import answer_to
from agentconsole.health.words import banner
from runs.access import Role, requires


def probe(request: HttpRequest) -> JsonResponse:
    """A probe under a server that does not put `with_probes` in front of Django."""
    answer = answer_to(request.path)
    assert answer is not None
    status, content = answer
    return JsonResponse(content, status=status, headers={"Cache-Control": "no-store"})


@requires(Role.VIEWER)
def health(request: HttpRequest) -> HttpResponse:
    """The board, for people: exactly what the probe answers, in words, and the last 24 hours."""
    now = timezone.now()
    return render(request, "health/board.html", health_page(board, board.report(now), now))


@requires(Role.NOBODY)
def state(request: HttpRequest) -> JsonResponse:
    """What the frame of an open page shows, always with 200: a page that asks wants to know, not to fail."""
    report = board.report()
    answer = {"status": report["status"], "banner": banner(report)}
    return JsonResponse(answer, headers={"Cache-Control": "no-store"})
