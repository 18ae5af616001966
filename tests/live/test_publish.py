"""Hints go out after the commit, in few messages, and never harm who sends them."""

import asyncio
from typing import Any

import pytest
from channels.layers import InMemoryChannelLayer
from django.db import transaction

from agentconsole import live
from agentconsole.live import hints, layer

SENT: list[dict[str, Any]] = []
FIRST_SENT = asyncio.Event()


class Recorder(InMemoryChannelLayer):
    """Keeps what is sent."""

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        SENT.append(message["topics"])
        FIRST_SENT.set()


class Broken(InMemoryChannelLayer):
    """Is never there."""

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        raise ConnectionError("no such host")


class Hanging(InMemoryChannelLayer):
    """Takes a message and never says that it has."""

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        await asyncio.Event().wait()


@pytest.fixture(autouse=True)
def use(settings, monkeypatch):
    """`use(Layer)` puts a layer in place that is taken for one that leaves the process."""
    SENT.clear()
    FIRST_SENT.clear()
    monkeypatch.setattr(hints, "_server", None)
    monkeypatch.setattr(hints, "leaves_process", lambda: True)
    monkeypatch.setattr(layer, "_sending", layer.LayerHealth())

    def put(kind: type) -> None:
        settings.CHANNEL_LAYERS = {"default": {"BACKEND": f"{__name__}.{kind.__name__}"}}

    put(Recorder)
    return put


@pytest.mark.django_db(transaction=True)
def test_a_hint_goes_out_when_the_transaction_is_committed_and_not_before() -> None:
    with transaction.atomic():
        live.publish_on_commit({"run:1": 7})
        assert SENT == []
    assert SENT == [{"run:1": 7}]


@pytest.mark.django_db(transaction=True)
def test_a_transaction_that_is_rolled_back_tells_nobody() -> None:
    with transaction.atomic():
        live.publish_on_commit({"run:1": 7})
        transaction.set_rollback(True)
    assert SENT == []


def test_a_process_whose_layer_stays_inside_it_has_nobody_to_tell(monkeypatch) -> None:
    monkeypatch.setattr(hints, "leaves_process", lambda: False)
    live.publish({"run:1": 7})
    assert SENT == []


async def test_a_burst_leaves_a_web_process_in_few_messages_with_the_newest_of_each_topic() -> None:
    live.adopt_running_loop()
    for seq in range(1, 500):
        live.publish({"run:1": seq})
        live.publish({"run:2": seq})
    async with asyncio.timeout(5):
        await FIRST_SENT.wait()
    assert SENT == [{"run:1": 499, "run:2": 499}]


async def test_a_request_thread_of_a_web_process_waits_for_nobody(use) -> None:
    use(Hanging)
    live.adopt_running_loop()
    async with asyncio.timeout(layer.SEND_WITHIN_S / 2):
        await asyncio.to_thread(live.publish, {"run:1": 1})


@pytest.mark.parametrize("kind", [Broken, Hanging])
def test_a_layer_that_fails_is_logged_once_and_harms_nobody(use, monkeypatch, caplog, kind) -> None:
    use(kind)
    monkeypatch.setattr(layer, "SEND_WITHIN_S", 0.01)
    for seq in range(3):
        live.publish({"run:1": seq})
    assert [record.msg["event"] for record in caplog.records] == ["LIVE_LAYER_FAILED"]
    use(Recorder)
    live.publish({"run:1": 3})
    assert [record.msg["event"] for record in caplog.records][1:] == ["LIVE_LAYER_BACK"]


def test_a_layer_that_cannot_even_be_built_harms_nobody(settings, caplog) -> None:
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "no.such.Layer"}}
    live.publish({"run:1": 1})
    assert [record.msg["event"] for record in caplog.records] == ["LIVE_LAYER_FAILED"]
