"""What the frame of every page says of the console's health."""

from functools import cached_property
from typing import Any

from django.http import HttpRequest

from agentconsole.health.board import HealthReport, board
from agentconsole.health.words import banner


class FrameHealth:
    """`health` in every template. Costs nothing until a template asks, and no query then: error pages are drawn without a database."""

    @cached_property
    def _report(self) -> HealthReport:
        return board.report()

    @property
    def status(self) -> str:
        """As the probe would answer now."""
        return self._report["status"]

    @property
    def banner(self) -> str:
        """What is wrong, in a sentence; nothing while the console is ready."""
        return banner(self._report)


def health(request: HttpRequest) -> dict[str, Any]:
    """Context processor: `health`."""
    return {"health": FrameHealth()}
