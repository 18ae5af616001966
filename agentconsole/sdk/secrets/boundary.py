"""The secrets of one environment, from one store."""

from agentconsole.protocol.redaction import register
from agentconsole.sdk.secrets.errors import SecretNotFoundError, WrongEnvironmentError
from agentconsole.sdk.secrets.local import EnvironmentVariables
from agentconsole.sdk.secrets.provider import Provider, checked_environment, checked_name
from agentconsole.sdk.secrets.secret import Secret


class Secrets:
    """What the tools of one environment may look up: `Secrets("prod").get("pagerduty/token").reveal()`.

    One environment and one store, for good: what is not there is an error, and nothing else is asked. Each value that was looked up is
    known to redaction from then on, so that it reaches no prompt, run or log line of this process.
    """

    def __init__(self, environment: str, provider: Provider | None = None) -> None:
        self.environment = checked_environment(environment)
        self._provider = EnvironmentVariables() if provider is None else provider

    def __repr__(self) -> str:
        return f"Secrets({self.environment!r}, {self._provider!r})"

    def get(self, name: str, *, environment: str | None = None) -> Secret:
        """The secret of that name. Who knows for which environment it is says so, and is refused if it is another one.

        BadSecretNameError, WrongEnvironmentError, SecretNotFoundError; SecretStoreDeniedError and SecretStoreError from the store.
        """
        checked_name(name)
        if environment is not None and environment != self.environment:
            raise WrongEnvironmentError(
                f"The secret {name} was asked for {environment}, and these are the secrets of {self.environment}."
                " A tool works in one environment: give it that one's."
            )
        value = self._provider.read(self.environment, name)
        if not value:
            raise SecretNotFoundError(
                f"{self.environment} has no secret {name} in {self._provider!r}. Put it there; no other place was asked."
            )
        register(value)
        return Secret(value, f"{name} of {self.environment}")
