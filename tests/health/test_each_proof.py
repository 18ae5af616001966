"""No check lies by construction: each proof is taken away in turn, and the console is not ready and says which part."""

import asyncio
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from channels.layers import InMemoryChannelLayer
from django.utils import timezone

from agentconsole import live
from agentconsole.celery import app
from agentconsole.health import proving
from agentconsole.health.board import Board
from agentconsole.health.components import COMPONENTS
from agentconsole.health.watch import Watch
from agentconsole.health.words import banner, reasons
from agentconsole.live import hub as hubs
from agentconsole.models import ComponentBeat
from agentconsole.services import record_beat

pytestmark = pytest.mark.django_db(transaction=True)
OLD = timedelta(minutes=1)


class Swallowing(InMemoryChannelLayer):
    """Takes messages, and gives none back."""

    async def send(self, channel: str, message: dict[str, Any]) -> None: ...


class Garbling(InMemoryChannelLayer):
    """Gives back what nobody sent."""

    async def receive(self, channel: str) -> dict[str, Any]:
        return {"type": "health.proof", "mark": "yesterday's"}


class Away(InMemoryChannelLayer):
    """Can't be reached."""

    async def send(self, channel: str, message: dict[str, Any]) -> None:
        raise ConnectionError("Error 111 connecting to redis://:hunter2@layer:6379")


@pytest.fixture(autouse=True)
def _all_is_well(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every other process leaves its beat, and this one's hub has just made a pass."""
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
    for name in ("worker", "beat", "outbox"):
        record_beat(name)
    monkeypatch.setattr(live, "last_pass", lambda: hubs.Pass(timezone.now(), 0, 0))


def look() -> Board:
    """A board after every check was made once."""

    async def look_at_all() -> Board:
        board = Board()
        watch = Watch(board, timeout_s=1)
        await asyncio.gather(*(watch.renew(component) for component in COMPONENTS))
        return board

    return asyncio.run(look_at_all())


def age(name: str) -> None:
    ComponentBeat.objects.filter(component=name).update(beat_at=timezone.now() - OLD)


def forget(name: str) -> None:
    ComponentBeat.objects.filter(component=name).delete()


def use(layer: type) -> Callable[[Any, Any, Any], None]:
    """Put a layer in place."""

    def put(settings: Any, monkeypatch: Any, tmp_path: Path) -> None:
        settings.CHANNEL_LAYERS = {"default": {"BACKEND": f"{__name__}.{layer.__name__}"}}

    return put


def refuse_writes(settings: Any, monkeypatch: Any, tmp_path: Path) -> None:
    def refuse(*args: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(proving, "record_beat", refuse)


def stop_hub(settings: Any, monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.setattr(live, "last_pass", lambda: hubs.Pass(timezone.now() - OLD, 0, 0))


def lose_hub(settings: Any, monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.setattr(live, "last_pass", lambda: None)


def close_broker(settings: Any, monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.setitem(app.conf, "broker_url", "redis://:hunter2@127.0.0.1:1/0")


def lose_queue(settings: Any, monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.setitem(app.conf, "broker_url", "filesystem://")
    gone = {name: str(tmp_path / "gone") for name in ("data_folder_in", "data_folder_out", "control_folder")}
    monkeypatch.setitem(app.conf, "broker_transport_options", gone)


def fill_disk(settings: Any, monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=0))


REMOVALS: dict[str, tuple[str, Callable[[Any, Any, Any], None]]] = {
    "no row can be written": ("database", refuse_writes),
    "the layer swallows messages": ("channel_layer", use(Swallowing)),
    "the layer gives back others": ("channel_layer", use(Garbling)),
    "the layer is away": ("channel_layer", use(Away)),
    "the hub stands still": ("hub", stop_hub),
    "there is no hub": ("hub", lose_hub),
    "the broker is away": ("broker", close_broker),
    "the queue's folder is gone": ("broker", lose_queue),
    "the worker's beat is old": ("worker", lambda *_: age("worker")),
    "the worker never was": ("worker", lambda *_: forget("worker")),
    "the schedule's beat is old": ("beat", lambda *_: age("beat")),
    "the schedule never was": ("beat", lambda *_: forget("beat")),
    "the disk is full": ("disk", fill_disk),
}


def test_with_every_proof_in_the_console_is_ready():
    report = look().report()
    assert {name: part["detail"] for name, part in report["components"].items() if part["status"] != "ok"} == {}
    assert (report["status"], banner(report), reasons(report)) == ("ready", "", [])


@pytest.mark.parametrize("what", REMOVALS)
def test_without_a_proof_it_is_not_and_says_so(what: str, settings: Any, monkeypatch: Any, tmp_path: Path):
    name, remove = REMOVALS[what]
    remove(settings, monkeypatch, tmp_path)
    report = look().report()
    assert report["status"] == "not_ready"
    assert [reason.name for reason in reasons(report)] == [name]
    title = next(component.title for component in COMPONENTS if component.name == name)
    assert title in banner(report)
    assert "hunter2" not in str(report)


@pytest.mark.parametrize("remove", [age, forget])
def test_without_the_outbox_it_is_ready_and_says_what_is_missing(remove: Callable[[str], None]):
    remove("outbox")
    report = look().report()
    assert report["status"] == "ready"
    assert [(reason.name, reason.is_critical) for reason in reasons(report)] == [("outbox", False)]


def test_a_message_that_is_due_for_long_is_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(proving, "oldest_due_at", lambda: timezone.now() - timedelta(minutes=3))
    part = look().report()["components"]["outbox"]
    assert (part["status"], part["detail"]) == ("failing", "the oldest message has been due for 180 s")


def test_a_beat_from_the_future_is_no_proof():
    ComponentBeat.objects.filter(component="worker").update(beat_at=timezone.now() + timedelta(hours=1))
    part = look().report()["components"]["worker"]
    assert part["status"] == "failing"
    assert "ahead of this process's clock" in part["detail"]
