"""`manage.py rotate_grant_key`: a new key signs grants from here on."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from approvals.services.keys import VERIFIES_FOR, rotate_signing_key


class Command(BaseCommand):
    """The old keys go on verifying until everything that they signed has expired, unless they leaked."""

    help = "Make a new key that signs grants and delegations."

    def add_arguments(self, parser: CommandParser) -> None:
        """Options."""
        parser.add_argument(
            "--leaked", action="store_true", help="the old keys leaked: what they signed opens nothing more"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Rotate."""
        made = rotate_signing_key(actor="console", is_leaked=options["leaked"])
        hours = VERIFIES_FOR.total_seconds() / 3600
        rest = "verify nothing any more" if options["leaked"] else f"verify for another {hours:g} h"
        self.stdout.write(f"{made.kid} signs now. The keys before it {rest}.")
