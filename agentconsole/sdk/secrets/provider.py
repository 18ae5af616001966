"""Where secrets are kept, and what their names look like."""

import re
from typing import Protocol

from agentconsole.sdk.secrets.errors import BadSecretNameError

_PART = r"[a-z0-9][a-z0-9_-]{0,63}"
_NAME = re.compile(rf"{_PART}(?:/{_PART}){{0,7}}")
_ENVIRONMENT = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
MAX_BYTES = 64 * 1024


class Provider(Protocol):
    """A store of secrets by environment and name. Threads may share one."""

    def read(self, environment: str, name: str) -> str | None:
        """The value, or None where the environment has none of that name. SecretStoreDeniedError, SecretStoreError."""


def checked_name(name: str) -> str:
    """A secret's name: up to eight parts of lower-case letters, digits, `-` and `_`, with `/` between. BadSecretNameError."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise BadSecretNameError(
            f"{str(name)[:80]!r} is no secret's name: use a-z, 0-9, - and _, with / between parts."
        )
    return name


def checked_environment(environment: str) -> str:
    """An environment's name, as the console has it. BadSecretNameError."""
    if not isinstance(environment, str) or not _ENVIRONMENT.fullmatch(environment):
        raise BadSecretNameError(f"{str(environment)[:80]!r} is no environment: use 1 to 64 of a-z, 0-9, dot, - and _.")
    return environment
