"""How each part of the console is proven. A check answers or raises; it never guesses."""

import shutil
import tempfile
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import connections
from django.utils import timezone

from agentconsole import live
from agentconsole.health.proof import NotProvenError, Proof
from agentconsole.models import ComponentBeat
from agentconsole.redis_url import speaks_redis
from agentconsole.services import record_beat
from approvals.queries.outbox import oldest_due_at

LEAST_FREE_BYTES = 200 * 1024 * 1024
BROKER_WITHIN_S = 3
# The sweep hands out what is due every 5 s; a crowded receiver's messages are put off by 10 s each time, and are not due meanwhile.
OUTBOX_LATE = timedelta(minutes=2)


def database() -> Proof:
    """A row written by this process."""
    try:
        record_beat("database")
    finally:
        connections.close_all()
    return Proof(timezone.now(), f"a row was written ({settings.DATABASES['default']['ENGINE'].rsplit('.', 1)[-1]})")


async def channel_layer() -> Proof:
    """A message sent and taken back."""
    await live.round_trip()
    return Proof(timezone.now(), "a message came back")


async def hub() -> Proof:
    """The last pass of this process's hub: its loop turned, and its threads read the database."""
    last_pass = live.last_pass()
    if last_pass is None:
        raise NotProvenError("the live hub of this process has not made a pass yet")
    return Proof(last_pass.at, f"sockets: {last_pass.sockets}, topics: {last_pass.topics}")


def broker() -> Proof:
    """A connection of this process that the broker answered; of the embedded queue, a file that could be written.

    Apart from `worker`, which proves the whole way: who has to repair it must know which end is missing, and one web
    process may be cut off from a broker that the workers reach.
    """
    options: dict[str, Any] = {}
    if speaks_redis(current_app.conf.broker_url):
        options = {"socket_connect_timeout": BROKER_WITHIN_S, "socket_timeout": BROKER_WITHIN_S}
    connection = current_app.connection_for_write(connect_timeout=BROKER_WITHIN_S, transport_options=options)
    with connection:
        # A channel takes a round trip: AMQP opens it at the broker, Redis is pinged.
        channel: Any = connection.default_channel
        if connection.transport.driver_type == "redis":
            # It answers as well where it takes no writes: as a replica, say.
            channel.client.set("health", "written", ex=60)
        folder = (connection.transport_options or {}).get("data_folder_out")
        if folder:
            with tempfile.NamedTemporaryFile(dir=folder, prefix="health-"):
                pass
    return Proof(timezone.now(), f"it answered ({connection.transport.driver_type})")


def beat_of(component: str, absent: str) -> Callable[[], Proof]:
    """The check that reads another process's sign of life; `absent` says what it means that there never was one."""

    def check() -> Proof:
        try:
            return _beat(component, absent)
        finally:
            connections.close_all()

    return check


def _beat(component: str, absent: str) -> Proof:
    beat = ComponentBeat.objects.filter(component=component).first()
    if beat is None:
        raise NotProvenError(absent)
    return Proof(beat.beat_at, beat.detail)


def outbox() -> Proof:
    """The sweep's own sign of life, and nothing that has been due for long."""
    try:
        proof = _beat("outbox", "no sweep of the outbox has run yet")
        due_at = oldest_due_at()
    finally:
        connections.close_all()
    late = timezone.now() - due_at if due_at else timedelta()
    if late > OUTBOX_LATE:
        raise NotProvenError(f"the oldest message has been due for {int(late.total_seconds())} s")
    return proof


def disk() -> Proof:
    """Room for what the console keeps."""
    free = shutil.disk_usage(settings.VAR_DIR).free
    detail = f"{free / 1024**3:.1f} GiB free"
    if free < LEAST_FREE_BYTES:
        raise NotProvenError(f"{detail}: less than {LEAST_FREE_BYTES // 1024**2} MiB")
    return Proof(timezone.now(), detail)
