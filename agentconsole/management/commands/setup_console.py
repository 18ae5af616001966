"""`manage.py setup_console`: what a distributed deployment runs once after `migrate`; `console` does it by itself."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from runs.services.bootstrap import FirstAdmin, keep_doctor_credential, make_first_admin, make_groups_and_environments
from runs.services.partitions import make_partitions


def set_up(username: str = "admin") -> FirstAdmin | None:
    """Groups, environments, partitions, the bundled agent's credential, and the first admin where there is no user."""
    make_groups_and_environments()
    make_partitions(move_at_most=None)
    if settings.DOCTOR_ENABLED and not settings.DOCTOR_TOKEN:
        keep_doctor_credential(settings.VAR_DIR / "doctor_token")
    return make_first_admin(username)


class Command(BaseCommand):
    """Make groups, environments, the bundled agent's credential and the first admin, each where missing."""

    help = "Make the groups, environments, bundled agent's credential and first admin that are missing."

    def add_arguments(self, parser: CommandParser) -> None:
        """The first admin's name."""
        parser.add_argument("--admin", default="admin", help="username of the first admin, where there is no user yet")

    def handle(self, *args: Any, admin: str, **options: Any) -> None:
        """Set up, and print a new admin's password, once."""
        made = set_up(admin)
        if made is not None:
            self.stdout.write(f"First admin: {made.username}\nPassword:    {made.password}   (shown once)")
        self.stdout.write("The console is set up.")
