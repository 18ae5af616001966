"""What a tool call's course says about itself, by token, in the run's log."""

from typing import Protocol

import structlog

from agentconsole.protocol.envelope import Envelope, Outcome
from agentconsole.sdk.circuit import Turn

log = structlog.get_logger(__name__)

_TROUBLE = {
    Outcome.SLOW: ("TOOL_SLOW", "info"),
    Outcome.TIMEOUT: ("TOOL_TIMEOUT_HARD", "warning"),
    Outcome.AUTH_FAILED: ("TOOL_AUTH_FAILED", "error"),
    Outcome.DEGRADED: ("TOOL_DEGRADED", "warning"),
    Outcome.REJECTED: ("TOOL_REJECTED", "warning"),
    Outcome.ERROR: ("TOOL_ERROR", "error"),
}


class Eventful(Protocol):
    """What can record a trace event: a run or a span."""

    def event(self, token: str, *, level: str = "info", message: str = "", **fields: object) -> None:
        """Record it."""


def report_call(scope: Eventful, envelope: Envelope) -> None:
    """The token of a call that did not go well."""
    if envelope.outcome in _TROUBLE:
        token, level = _TROUBLE[envelope.outcome]
        scope.event(
            token, level=level, message=envelope.message, tool=envelope.tool,
            elapsed_ms=envelope.elapsed_ms, tries=len(envelope.attempts),
        )  # fmt: skip


def report_turn(scope: Eventful, tool: str, turn: Turn) -> None:
    """The token of a circuit that opened or closed."""
    if turn is Turn.OPENED:
        scope.event("CIRCUIT_OPENED", level="error", tool=tool)
    elif turn is Turn.CLOSED:
        scope.event("CIRCUIT_CLOSED", tool=tool)


def report_abandoned(scope: Eventful, tool: str, working: int) -> None:
    """The token of a tool that would not stop; the agent's own log says it too, because the agent keeps the thread."""
    log.warning("TOOL_ABANDONED", tool=tool, still_working=working)
    scope.event("TOOL_ABANDONED", level="error", tool=tool, still_working=working)
