"""The SDK of Agent Console: what an agent imports to have its runs watched. docs/sdk.md tells how."""

from agentconsole.protocol.envelope import Attempt, Budget, Envelope, Hint, Outcome
from agentconsole.sdk.boundary import Allowed
from agentconsole.sdk.circuit import Circuit
from agentconsole.sdk.components import Component
from agentconsole.sdk.console import Console
from agentconsole.sdk.console_keys import ConsoleKeys
from agentconsole.sdk.errors import (
    ApprovalCancelled,
    ApprovalDenied,
    ApprovalExpired,
    ApprovalMismatch,
    ApprovalPending,
    ApprovalRefused,
    ApprovalUnavailable,
    ApprovalUsed,
    ToolAuthFailed,
    ToolDegraded,
    ToolFailure,
    ToolRejected,
    ToolTimeout,
)
from agentconsole.sdk.grants import Grant, GrantRefused, SeenGrants, verify_grant
from agentconsole.sdk.guard import Guarded, granted, guarded, resuming
from agentconsole.sdk.retry import NO_RETRY, Retry
from agentconsole.sdk.run import Phase, Run
from agentconsole.sdk.secrets import Secret, Secrets
from agentconsole.sdk.span import Scope, Span
from agentconsole.sdk.version import __version__

__all__ = [
    "NO_RETRY",
    "Allowed",
    "ApprovalCancelled",
    "ApprovalDenied",
    "ApprovalExpired",
    "ApprovalMismatch",
    "ApprovalPending",
    "ApprovalRefused",
    "ApprovalUnavailable",
    "ApprovalUsed",
    "Attempt",
    "Budget",
    "Circuit",
    "Component",
    "Console",
    "ConsoleKeys",
    "Envelope",
    "Grant",
    "GrantRefused",
    "Guarded",
    "Hint",
    "Outcome",
    "Phase",
    "Retry",
    "Run",
    "Scope",
    "Secret",
    "Secrets",
    "SeenGrants",
    "Span",
    "ToolAuthFailed",
    "ToolDegraded",
    "ToolFailure",
    "ToolRejected",
    "ToolTimeout",
    "__version__",
    "granted",
    "guarded",
    "resuming",
    "verify_grant",
]
