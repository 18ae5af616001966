"""Writes the history of health: one web process at a time, however many watch."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from agentconsole.health.minutes import KEPT, MINUTE, Minute, minute_of
from agentconsole.models import ComponentBeat, HealthMinute

WRITER = "history"
WRITER_LEASE = timedelta(seconds=30)


def write_minutes(minutes: Sequence[Minute], *, writer: str) -> bool:
    """Store what was seen, and forget what is older than 25 h; False, and nothing is stored, while another process writes."""
    now = timezone.now()
    with transaction.atomic():
        if not _is_writer(writer, now):
            return False
        for minute in minutes:
            _join(minute)
        # Also what a clock that was wrong has dated into the future: the number of rows has a bound.
        HealthMinute.objects.exclude(minute__gt=minute_of(now) - KEPT, minute__lte=now + MINUTE).delete()
    return True


def hand_over(writer: str) -> None:
    """Let go of the lease, if `writer` has it: the next process writes at once, not when the lease is over."""
    ComponentBeat.objects.filter(component=WRITER, detail=writer).update(beat_at=timezone.now() - 2 * WRITER_LEASE)


def _is_writer(writer: str, now: datetime) -> bool:
    """Take or keep the lease, by compare-and-swap."""
    free = Q(detail=writer) | Q(beat_at__lt=now - WRITER_LEASE) | Q(beat_at__gt=now + WRITER_LEASE)
    if ComponentBeat.objects.filter(free, component=WRITER).update(beat_at=now, detail=writer):
        return True
    _beat, is_new = ComponentBeat.objects.get_or_create(component=WRITER, defaults={"beat_at": now, "detail": writer})
    return is_new


def _join(minute: Minute) -> None:
    row = HealthMinute.objects.filter(minute=minute.at).first()
    whole = Minute(minute.at, row.samples, row.states, row.faults) if row else Minute(minute.at)
    whole.add(minute)
    HealthMinute(minute=whole.at, samples=whole.samples, states=whole.states, faults=whole.faults).save()
