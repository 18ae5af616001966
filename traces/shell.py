"""What every page's frame shows of leaked secrets."""

from functools import cached_property
from typing import Any
from uuid import UUID

from django.http import HttpRequest

from runs.shell import Shell, shell_of
from traces.queries.leaks import open_p1

_LOOKED_AT = 200


class OpenLeaks:
    """The P1 incidents that are open, as seen from any page. Asks the database only when a template does, and then mostly once."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    @cached_property
    def gravest(self) -> list[UUID]:
        """Ids of open P1 incidents, newest first. One query where there are none."""
        found = open_p1(_LOOKED_AT)
        return [incident_id for incident_id, environment in found if environment in self._shell.environments]

    @property
    def more(self) -> int:
        """How many there are beside the first."""
        return len(self.gravest) - 1


def leaks(request: HttpRequest) -> dict[str, Any]:
    """Context processor: `leaks`."""
    return {"leaks": OpenLeaks(shell_of(request))}
