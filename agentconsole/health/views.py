"""The health page."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from agentconsole.health.board import board
from runs.access import Role, requires


@requires(Role.VIEWER)
def health(request: HttpRequest) -> HttpResponse:
    """The board, for people: exactly what the probe answers, in words."""
    report = board.report()
    parts = [(component.title, report["components"][component.name]) for component in board.components]
    return render(request, "health/board.html", {"report": report, "parts": parts})
