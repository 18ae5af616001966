"""The account of what was refused and dropped, by credential: people see what their agents lost, and why."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from agentconsole.protocol.lines import one_line
from agentconsole.protocol.redaction import scrub_text
from runs.models import AgentInstance, RefusedItems

KEPT_DAYS = 90
DROPPED = "dropped_by_sdk"
_MESSAGE, _ITEM_ID, _CODE = 500, 64, 40


@dataclass(slots=True)
class Entry:
    """Some items of one kind: why they were refused, and one of them."""

    code: str
    message: str
    item_id: str = ""
    items: int = 1


def enter_refused(entries: Iterable[Entry], *, door: str, instance: AgentInstance) -> None:
    """Add to the account; what is sent again is refused, and counted, again. Two statements for each reason, and codes are few: a row by instance, day, door and code."""
    by_code: dict[str, Entry] = {}
    for entry in entries:
        known = by_code.setdefault(entry.code[:_CODE], Entry(entry.code, entry.message, entry.item_id, 0))
        known.items += entry.items
    if not by_code:
        return
    now = timezone.now()
    with transaction.atomic():
        rows = [
            RefusedItems(instance=instance, day=now.date(), door=door, code=code, first_at=now, last_at=now)
            for code in sorted(by_code)
        ]
        RefusedItems.objects.bulk_create(rows, ignore_conflicts=True)
        for code in sorted(by_code):
            entry = by_code[code]
            RefusedItems.objects.filter(instance=instance, day=now.date(), door=door, code=code).update(
                items=F("items") + entry.items,
                last_at=now,
                message=one_line(scrub_text(entry.message)[0])[:_MESSAGE],
                item_id=one_line(scrub_text(entry.item_id)[0])[:_ITEM_ID],
            )


def forget_refused() -> int:
    """Delete what is older than KEPT_DAYS; how many rows."""
    deleted, _ = RefusedItems.objects.filter(day__lt=(timezone.now() - timedelta(days=KEPT_DAYS)).date()).delete()
    return deleted
