"""What the frame of every page says of the console's health."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from agentconsole.health.board import board


def health(request: HttpRequest) -> dict[str, Any]:
    """Context processor: `health.status`, as the probe would answer now. Costs nothing until a template asks."""
    return {"health": SimpleLazyObject(board.report)}
