"""The SDK of Agent Console: what an agent imports to have its runs watched. docs/sdk.md tells how."""

from agentconsole.protocol.envelope import Attempt, Budget, Envelope, Hint, Outcome
from agentconsole.sdk.circuit import Circuit
from agentconsole.sdk.console import Console
from agentconsole.sdk.errors import ToolAuthFailed, ToolDegraded, ToolFailure, ToolRejected, ToolTimeout
from agentconsole.sdk.retry import NO_RETRY, Retry
from agentconsole.sdk.run import Phase, Run
from agentconsole.sdk.span import Scope, Span
from agentconsole.sdk.version import __version__

__all__ = [
    "NO_RETRY",
    "Attempt",
    "Budget",
    "Circuit",
    "Console",
    "Envelope",
    "Hint",
    "Outcome",
    "Phase",
    "Retry",
    "Run",
    "Scope",
    "Span",
    "ToolAuthFailed",
    "ToolDegraded",
    "ToolFailure",
    "ToolRejected",
    "ToolTimeout",
    "__version__",
]
