"""Stores that a platform fills: environment variables, and files that it mounts."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from agentconsole.sdk.secrets.errors import BadSecretNameError, SecretStoreDeniedError, SecretStoreError
from agentconsole.sdk.secrets.provider import MAX_BYTES

_PLAIN = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


class EnvironmentVariables:
    """`db/password` of `prod` is the variable `PROD__DB__PASSWORD`: environment first, two underscores for `/`, one for `-`.

    Environments with dots, underscores or two dashes together have no variables: theirs could be read as another environment's.
    """

    def __init__(self, variables: Mapping[str, str] | None = None) -> None:
        self._variables = os.environ if variables is None else variables

    def __repr__(self) -> str:
        return "environment variables"

    @staticmethod
    def variable(environment: str, name: str) -> str:
        """The variable that holds a secret. BadSecretNameError."""
        if not _PLAIN.fullmatch(environment):
            raise BadSecretNameError(
                f"Variables can't tell {environment} from other environments: name it with letters, digits and single dashes,"
                " or keep its secrets in files."
            )
        return "__".join(part.replace("-", "_").upper() for part in (environment, *name.split("/")))

    def read(self, environment: str, name: str) -> str | None:
        """Its value; None where the variable is not set."""
        return self._variables.get(self.variable(environment, name))


class MountedFiles:
    """`db/password` of `prod` is the file `<folder>/prod/db/password`, as Kubernetes, Docker and systemd mount secrets. Read anew each time.

    One line's end at its end is not part of it. A link may lead elsewhere in its environment's folder, and nowhere else.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self._folder = Path(folder)

    def __repr__(self) -> str:
        return f"files in {self._folder}"

    def read(self, environment: str, name: str) -> str | None:
        """Its content; None where there is no such file. SecretStoreDeniedError, SecretStoreError."""
        home = (self._folder / environment).resolve()
        try:
            path = (home / name).resolve(strict=True)
            if not path.is_relative_to(home):
                raise SecretStoreDeniedError(f"The file of {name} leads out of the folder of {environment}.")
            if not path.is_file():
                return None
            with path.open("rb") as file:
                content = file.read(MAX_BYTES + 1)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except PermissionError as error:
            raise SecretStoreDeniedError(f"This process may not read the file of {name} for {environment}.") from error
        except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle, before Python 3.13
            raise SecretStoreError(f"The file of {name} for {environment} can't be read.") from error
        return _text(content, f"{name} for {environment}")


def _text(content: bytes, about: str) -> str:
    if len(content) > MAX_BYTES:
        raise SecretStoreError(f"The file of {about} has more than {MAX_BYTES} bytes.")
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise SecretStoreError(f"The file of {about} is no UTF-8 text.") from None  # the error quotes what it read
    return text.removesuffix("\n").removesuffix("\r")
