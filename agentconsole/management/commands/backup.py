"""`manage.py backup`: the embedded console in one file, while it runs."""

import os
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.utils import timezone

from agentconsole.backup.postgres import dump_advice
from agentconsole.backup.writing import Backup, Written, default_target
from agentconsole.errors import ConsoleError
from agentconsole.management.stopping import cleaning_up_on_sigterm


class Command(BaseCommand):
    """Exit 0: the backup is whole and on the disk. What it says goes to stderr, so that `-` is the archive alone."""

    help = "Back up the embedded database and the keys it depends on, while the console runs."

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to."""
        parser.add_argument("file", nargs="?", help="- for stdout; without, a new file in CONSOLE_VAR/backups")
        parser.add_argument("--force", action="store_true", help="replace the file if it is there")
        parser.add_argument("--without-keys", action="store_true", help="the database alone")

    def handle(self, *args: Any, file: str | None, force: bool, without_keys: bool, **options: Any) -> None:
        """Back up."""
        if connection.vendor != "sqlite":
            raise CommandError(dump_advice(connection.settings_dict))
        os.umask(0o077)
        database = Path(connection.settings_dict["NAME"]).absolute()
        backup = Backup(database, settings.VAR_DIR, with_keys=not without_keys)
        try:
            with cleaning_up_on_sigterm():
                if file == "-":
                    self._tell(self._piped(backup), "stdout")
                else:
                    target = Path(file).absolute() if file else default_target(settings.VAR_DIR, timezone.now())
                    self._tell(backup.to_file(target, is_forced=force), str(target))
        except ConsoleError as error:
            raise CommandError(error.message) from error

    def _piped(self, backup: Backup) -> Written:
        if sys.stdout.isatty():
            raise CommandError(
                "A terminal is no place for a backup. Pipe it: manage.py backup - | ssh host 'cat > console.tar'"
            )
        return backup.to_stream(sys.stdout.buffer)

    def _tell(self, written: Written, where: str) -> None:
        facts = written.manifest.facts
        rows = ", ".join(f"{count} {table}" for table, count in facts.rows.items())
        self.stderr.write(f"Wrote {where}: {written.size / 1e6:.1f} MB in {written.duration_s:.1f} s.", style_func=str)
        self.stderr.write(f"Rows: {rows}. Audit head: {facts.audit_seq} {facts.audit_hash}.", style_func=str)
        if written.manifest.has_keys:
            self.stderr.write(
                "It holds this console's keys: whoever has it can act as the console. Keep it like a password."
            )
        else:
            self.stderr.write(
                "It holds no keys. Without SECRET_KEY no agent's credential works on what is restored from it."
            )
        if written.lacks_secret_key:
            self.stderr.write("SECRET_KEY comes from a variable and is not in it: keep that as well.")
