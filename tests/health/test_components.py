"""Each component's check proves what it says, against the real thing."""

import asyncio
import shutil
from datetime import timedelta
from types import SimpleNamespace
from typing import cast

import pytest
import time_machine
from django.utils import timezone

from agentconsole import live
from agentconsole.health.components import COMPONENTS
from agentconsole.health.proof import NotProvenError, Proof
from agentconsole.health.tasks import beat
from agentconsole.live.layer import Ear
from agentconsole.models import ComponentBeat
from agentconsole.services import record_beat

CHECKS = {component.name: component.check for component in COMPONENTS}


def prove(name: str) -> Proof:
    """The check's proof."""
    return cast(Proof, CHECKS[name]())


@pytest.mark.django_db(transaction=True)
def test_the_database_is_proven_by_a_row_that_was_written():
    before = timezone.now()
    assert prove("database").at >= before
    assert ComponentBeat.objects.get(component="database").beat_at >= before


async def test_the_channel_layer_is_proven_by_a_message_that_came_back():
    proof = CHECKS["channel_layer"]()
    assert not isinstance(proof, Proof)
    assert (await proof).detail == "a message came back"


async def test_the_channel_layer_is_proven_while_a_hub_listens_to_it():
    joined = asyncio.Event()
    listening = asyncio.create_task(Ear(lambda _hints, _at: None, joined.set).listen())
    try:
        async with asyncio.timeout(5):
            await joined.wait()
            for _ in range(3):
                await live.round_trip()
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ["worker", "beat"])
def test_a_process_that_never_was_seen_is_not_proven(name: str):
    with pytest.raises(NotProvenError, match="yet"):
        prove(name)


@pytest.mark.django_db(transaction=True)
def test_a_worker_is_proven_by_its_last_task_however_long_ago():
    then = timezone.now() - timedelta(hours=2)
    with time_machine.travel(then, tick=False):
        beat()
    assert prove("worker").at == then


@pytest.mark.django_db(transaction=True)
def test_the_schedule_is_proven_by_its_own_beat():
    record_beat("beat")
    assert prove("beat").at == ComponentBeat.objects.get(component="beat").beat_at


def test_a_full_disk_is_told_with_what_is_left(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=5 * 1024**2))
    with pytest.raises(NotProvenError, match=r"0\.0 GiB free: less than 200 MiB"):
        prove("disk")


def test_a_disk_with_room_is_proven():
    assert prove("disk").detail.endswith("GiB free")
