"""What a tool raises to say how it failed. Its text is read by the model and by people, and is redacted before both."""


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
