"""What a tool raises to say how it failed. Its text is read by the model and by people, and is redacted before both."""

from typing import Any


class ToolFailure(Exception):  # noqa: N818 -- a tool's author reads `raise ToolDegraded(...)` as a statement of what happened
    """Base of the failures that a tool can tell apart itself; any other exception counts as a bug of the tool."""


class ToolTimeout(ToolFailure):
    """The service behind the tool gave no answer in time."""


class ToolAuthFailed(ToolFailure):
    """The tool's credential is wrong, expired or missing."""


class ToolDegraded(ToolFailure):
    """The service behind the tool is failing, refusing or limiting. `retry_after_s` is what the service asked for."""

    def __init__(self, message: str = "", *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class ToolRejected(ToolFailure):
    """The call was stopped at the approval boundary."""


class ApprovalRefused(ToolRejected):
    """A guarded call did not run, and why. `request_id` is the approval request, where there is one."""

    def __init__(self, message: str, *, request_id: str = "") -> None:
        super().__init__(message)
        self.request_id = request_id


class ApprovalDenied(ApprovalRefused):
    """A reviewer or the policy denied the call."""


class ApprovalExpired(ApprovalRefused):
    """Nobody decided in time, or the time to start it has passed. Not a denial: it may be asked again."""


class ApprovalCancelled(ApprovalRefused):
    """The request was withdrawn."""


class ApprovalUsed(ApprovalRefused):
    """The approval was claimed before, perhaps by this very call before a crash: it is not run again."""


class ApprovalMismatch(ApprovalRefused):
    """What is about to run is not what was approved. `superseding` is the request that the console opened for it, if it did."""

    def __init__(self, message: str, *, request_id: str = "", superseding: str = "") -> None:
        super().__init__(message, request_id=request_id)
        self.superseding = superseding


class ApprovalUnavailable(ApprovalRefused):
    """There is no decision to act on: the console is away, refuses the credential or the call, or its answer makes no sense."""


class ApprovalPending(ApprovalRefused):
    """Nobody has decided yet, and the caller does not wait. Keep `ticket` (JSON) and call again inside `resuming(ticket)`."""

    def __init__(self, message: str, *, request_id: str, ticket: dict[str, Any]) -> None:
        super().__init__(message, request_id=request_id)
        self.ticket = ticket
