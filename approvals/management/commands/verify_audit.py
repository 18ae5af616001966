"""`manage.py verify_audit`: proves the audit chain, or names its first broken link."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from approvals.queries.audit import Pin, verify_chain


class Command(BaseCommand):
    """Exit 0: the chain is whole. Exit 1: the first link that does not hold, named."""

    help = "Prove the audit chain, or name its first broken link."

    def add_arguments(self, parser: CommandParser) -> None:
        """Options."""
        parser.add_argument("--pinned", metavar="FILE", help="a head exported before, which must lie on the chain")
        parser.add_argument("--expect-seq", type=int, metavar="N", help="with --expect-hash: the same, without a file")
        parser.add_argument("--expect-hash", metavar="HASH", help="with --expect-seq")
        parser.add_argument("--export-head", action="store_true", help="print the head as JSON, to be kept elsewhere")

    def handle(self, *args: Any, **options: Any) -> None:
        """Walk the chain."""
        report = verify_chain(pinned=_pin_of(options["pinned"], options["expect_seq"], options["expect_hash"]))
        if report.broken:
            raise CommandError(f"The audit chain is broken: {report.broken}.")
        if options["export_head"]:
            self.stdout.write(json.dumps({"seq": report.head_seq, "hash": report.head_hash}))
        else:
            self.stdout.write(f"The audit chain is whole: {report.entries} entries, head {report.head_hash}.")


def _pin_of(file: str | None, seq: int | None, entry_hash: str | None) -> Pin | None:
    if (seq is None) != (entry_hash is None) or (file and seq is not None):
        raise CommandError("Give --pinned FILE, or --expect-seq and --expect-hash together.")
    if seq is not None and entry_hash is not None:
        return Pin(seq, entry_hash)
    return _read_pin(file) if file else None


def _read_pin(name: str) -> Pin:
    try:
        kept = json.loads(Path(name).read_text(encoding="utf-8"))
        return Pin(int(kept["seq"]), str(kept["hash"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CommandError(f"{name} holds no head. Write one with --export-head.") from error
