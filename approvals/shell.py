"""What every page's frame shows of the queue."""

from functools import cached_property
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from approvals.models import BreakGlass
from approvals.queries.queue import COUNTED, pending_count
from runs.shell import Shell, shell_of


class Desk:
    """The queue as seen from any page. Asks the database only for what a template touches."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    @cached_property
    def pending(self) -> str:
        """How many actions wait, as text; empty for none. One query."""
        count = pending_count(self._shell.environments, timezone.now())
        return f"{count}+" if count >= COUNTED else str(count) if count else ""

    @cached_property
    def broken(self) -> list[BreakGlass]:
        """Broken glass that nobody has reviewed. One query."""
        unreviewed = BreakGlass.objects.filter(reviewed_at=None, action__environment__in=self._shell.environments)
        return list(unreviewed.select_related("action", "person").order_by("at")[:5])


def desk(request: HttpRequest) -> dict[str, Any]:
    """Context processor: `approvals`."""
    return {"approvals": Desk(shell_of(request))}
