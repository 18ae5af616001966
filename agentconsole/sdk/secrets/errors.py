"""What can go wrong with a secret. Names and environments are said, values never; each is an outcome of the tool that asked."""

from agentconsole.sdk.errors import ToolAuthFailed, ToolDegraded


class BadSecretNameError(ValueError):
    """A name or an environment of another form than secrets have."""


class WrongEnvironmentError(ToolAuthFailed):
    """A secret of one environment was asked of the secrets of another."""


class SecretNotFoundError(ToolAuthFailed):
    """The environment has no such secret. No other environment and no other store was asked."""


class SecretStoreDeniedError(ToolAuthFailed):
    """The store does not let this process read the secret."""


class SecretStoreError(ToolDegraded):
    """The store can't be reached, is sealed, or answers what makes no sense."""
