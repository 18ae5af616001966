"""`manage.py migrate`: Django's, one at a time."""

from typing import Any

from django.core.management.commands.migrate import Command as Migrate
from django.db import connections

from agentconsole.migrating.alone import migrating_alone


class Command(Migrate):
    """Apply the migrations. Several may be started at once, as by pods that begin together: the others wait, and find nothing to do."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Wait for who migrates now, then migrate."""
        with migrating_alone(connections[options["database"]], self._say_waiting):
            super().handle(*args, **options)

    def _say_waiting(self) -> None:
        self.stdout.write("Another `migrate` is under way: waiting for it.")
