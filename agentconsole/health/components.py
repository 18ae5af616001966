"""The parts that the console needs, and how each is proven. A check answers or raises; it never guesses."""

import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from inspect import iscoroutinefunction

from django.conf import settings
from django.db import connections
from django.utils import timezone

from agentconsole import live
from agentconsole.models import ComponentBeat
from agentconsole.services import record_beat

LEAST_FREE_BYTES = 200 * 1024 * 1024


class NotProvenError(Exception):
    """What a check found wrong, in words for the person who will read them at night."""


@dataclass(frozen=True, slots=True)
class Proof:
    """Evidence that a component worked at `at`."""

    at: datetime
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Component:
    """A part, how long its proof counts, and the check that renews it: a plain function (run in a thread) or a coroutine."""

    name: str
    title: str
    lease_s: int
    check: Callable[[], Proof] | Callable[[], Awaitable[Proof]]
    is_critical: bool = True

    @property
    def is_async(self) -> bool:
        """Whether the check is a coroutine function."""
        return iscoroutinefunction(self.check)


def _database() -> Proof:
    try:
        record_beat("database")
    finally:
        connections.close_all()
    return Proof(timezone.now(), f"a row was written ({settings.DATABASES['default']['ENGINE'].rsplit('.', 1)[-1]})")


async def _channel_layer() -> Proof:
    await live.round_trip()
    return Proof(timezone.now(), "a message came back")


def _beat_of(component: str, absent: str) -> Callable[[], Proof]:
    def check() -> Proof:
        try:
            beat = ComponentBeat.objects.filter(component=component).first()
        finally:
            connections.close_all()
        if beat is None:
            raise NotProvenError(absent)
        return Proof(beat.beat_at, beat.detail)

    return check


def _disk() -> Proof:
    free = shutil.disk_usage(settings.VAR_DIR).free
    detail = f"{free / 1024**3:.1f} GiB free"
    if free < LEAST_FREE_BYTES:
        raise NotProvenError(f"{detail}: less than {LEAST_FREE_BYTES // 1024**2} MiB")
    return Proof(timezone.now(), detail)


COMPONENTS = (
    Component("database", "Database writes", 20, _database),
    Component("channel_layer", "Live updates' channel layer", 20, _channel_layer),
    Component("worker", "Background worker", 30, _beat_of("worker", "no worker has run a task yet")),
    Component("beat", "Schedule", 30, _beat_of("beat", "no scheduler has started yet")),
    Component("disk", "Disk space", 30, _disk),
)
