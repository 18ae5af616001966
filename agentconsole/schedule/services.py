"""Who leads, and what was sent when: rows of ComponentBeat, changed by compare-and-swap alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from agentconsole.models import ComponentBeat

# The leader's renewals are also the sign of life that the health check reads: its row says who leads.
LEAD = "beat"
NOBODY = "nobody leads"
# Beats are woken a little early or late; the one that sent before may have had another clock.
EARLY = 0.1
AHEAD = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Seen:
    """The leader's row as it was read: it changes with each renewal."""

    leader: str
    at: datetime


def lead_as_seen() -> Seen | None:
    """The row; None if nobody has ever led."""
    row = ComponentBeat.objects.filter(component=LEAD).values_list("detail", "beat_at").first()
    return Seen(*row) if row else None


def take_lead(name: str, seen: Seen | None) -> bool:
    """Lead from now on, unless the row is another one than was seen."""
    now = timezone.now()
    if seen is None:
        _row, is_new = ComponentBeat.objects.get_or_create(component=LEAD, defaults={"beat_at": now, "detail": name})
        return is_new
    as_seen = ComponentBeat.objects.filter(component=LEAD, detail=seen.leader, beat_at=seen.at)
    return bool(as_seen.update(beat_at=now, detail=name))


def keep_lead(name: str) -> bool:
    """Renew the lead; False if somebody else took it."""
    return bool(ComponentBeat.objects.filter(component=LEAD, detail=name).update(beat_at=timezone.now()))


def leave_lead(name: str) -> None:
    """Let the next one lead at once."""
    ComponentBeat.objects.filter(component=LEAD, detail=name).update(detail=NOBODY)


def last_sent(entries: Mapping[str, float]) -> dict[str, datetime]:
    """When each entry was sent last, by its name; now for one that never was. Never in the future: a clock may have been ahead."""
    now = timezone.now()
    rows = {_row_of(name): name for name in entries}
    found = ComponentBeat.objects.filter(component__in=rows).values_list("component", "beat_at")
    sent = {rows[component]: min(at, now) for component, at in found}
    missing = [name for name in entries if name not in sent]
    new = [ComponentBeat(component=_row_of(name), beat_at=now) for name in missing]
    ComponentBeat.objects.bulk_create(new, ignore_conflicts=True)
    return sent | dict.fromkeys(missing, now)


def claim_sending(name: str, every_s: float) -> bool:
    """Whether an entry may be sent now: nobody has sent it within its period. At most one asker is told yes."""
    now = timezone.now()
    due = Q(beat_at__lte=now - timedelta(seconds=every_s * (1 - EARLY))) | Q(beat_at__gt=now + AHEAD)
    return bool(ComponentBeat.objects.filter(due, component=_row_of(name)).update(beat_at=now))


def give_back_sending(name: str, every_s: float) -> None:
    """A claim that came to nothing: the broker did not take the task."""
    ComponentBeat.objects.filter(component=_row_of(name)).update(beat_at=timezone.now() - timedelta(seconds=every_s))


def _row_of(name: str) -> str:
    return f"schedule: {name}"[:64]
