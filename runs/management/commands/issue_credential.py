"""Make an instance credential from the command line."""

import sys
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from agentconsole.errors import ConsoleError
from runs.services.credentials import issue_credential


class Command(BaseCommand):
    """Print a new credential, once; the rest of what it says goes to stderr."""

    help = "Make a credential for an agent's instance and print it, once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Positional: environment, agent, instance."""
        parser.add_argument("environment")
        parser.add_argument("agent")
        parser.add_argument("instance")
        parser.add_argument("--days", type=int, help="days until it expires; without, it does not")

    def handle(self, *args: Any, **options: Any) -> None:
        """CommandError with what to do, where the console refuses."""
        days = options["days"]
        try:
            issued = issue_credential(
                actor="command:issue_credential",
                environment=options["environment"],
                agent=options["agent"],
                instance=options["instance"],
                expires_at=timezone.now() + timedelta(days=days) if days else None,
            )
        except ConsoleError as error:
            raise CommandError(error.message) from error
        sys.stderr.write("This is shown once. Give it to the agent as CONSOLE_TOKEN.\n")
        self.stdout.write(issued.token)
