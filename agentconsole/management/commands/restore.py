"""`manage.py restore`: a backup takes the place of the embedded database, proven first."""

import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from agentconsole.backup.postgres import restore_advice
from agentconsole.backup.restoring import Restored, restore_backup
from agentconsole.errors import ConsoleError
from agentconsole.management.stopping import cleaning_up_on_sigterm


class Command(BaseCommand):
    """Exit 0: the backup is in place, its audit chain proven. Exit 1: why not, and nothing was changed."""

    help = "Restore a backup of the embedded console. The console must not run."

    def add_arguments(self, parser: CommandParser) -> None:
        """What."""
        parser.add_argument("file")
        parser.add_argument("--force", action="store_true", help="move the database that is there aside")

    def handle(self, *args: Any, file: str, force: bool, **options: Any) -> None:
        """Restore."""
        if connection.vendor != "sqlite":
            raise CommandError(restore_advice(connection.settings_dict))
        os.umask(0o077)
        database = Path(connection.settings_dict["NAME"]).absolute()
        try:
            with cleaning_up_on_sigterm():
                restored = restore_backup(
                    Path(file).absolute(), database=database, folder=settings.VAR_DIR, is_forced=force
                )
        except ConsoleError as error:
            raise CommandError(error.message) from error
        self._tell(restored, database)

    def _tell(self, restored: Restored, database: Path) -> None:
        manifest = restored.manifest
        self.stdout.write(f"Restored {database} as of {manifest.created_at} in {restored.duration_s:.1f} s.")
        self.stdout.write(
            f"The audit chain is whole: {restored.audit_entries} entries, head {manifest.facts.audit_hash}."
            " The restore is its next entry."
        )
        for path in restored.aside:
            self.stdout.write(f"Moved aside: {path}")
        for name in restored.changed_keys:
            self.stderr.write(
                f"{name} is not the one of the backup: credentials of agents and what was sealed under it open nothing until"
                f" that {name} is back."
            )
