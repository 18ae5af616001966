"""Who may open a live socket, see what on it, and for how long."""

import pytest
from channels.db import database_sync_to_async
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client

from agentconsole.asgi import application
from runs.consumers import LiveConsumer
from runs.models import Environment
from tests.live.busy_run import ingest, started
from tests.live.conftest import PATIENCE_S, Wire, browser, headers_of

pytestmark = pytest.mark.django_db(transaction=True)


async def handshake(client: Client, path: str = "/ws/live", **headers: str) -> bool:
    communicator = Wire(application, path, headers=headers_of(client, **headers))
    connected, _code = await communicator.connect(timeout=PATIENCE_S)
    await communicator.disconnect(timeout=PATIENCE_S)
    return bool(connected)


@pytest.mark.parametrize(
    "origin",
    ["", "http://evil.example", "http://localhost:9999", "http://localhost.evil.example", "null", "file://localhost"],
)
async def test_a_page_of_another_origin_gets_no_socket(signed_in: Client, origin: str) -> None:
    assert not await handshake(signed_in, origin=origin)


async def test_a_host_that_is_not_allowed_gets_no_socket(signed_in: Client) -> None:
    assert not await handshake(signed_in, origin="http://rebound.example", host="rebound.example")


@pytest.mark.parametrize("trusted", ["https://console.example", "https://*.example"])
async def test_a_trusted_origin_gets_one(signed_in: Client, settings, trusted: str) -> None:
    settings.CSRF_TRUSTED_ORIGINS = [trusted]
    assert await handshake(signed_in, origin="https://console.example")


async def test_another_path_is_no_socket(signed_in: Client) -> None:
    assert not await handshake(signed_in, path="/ws/other")


async def test_who_is_not_signed_in_is_told_by_4401(environments: None) -> None:
    async with browser(None) as page:
        assert await page.closed_with() == 4401


async def test_a_run_of_an_environment_that_one_may_not_see_does_not_exist(signed_in, foreign_agent, run_id) -> None:
    await database_sync_to_async(ingest)(foreign_agent, [started(run_id)])
    async with browser(signed_in) as page:
        await page.subscribe(f"run:{run_id}", 0)
        hidden = await page.receive()
        absent_id = str(run_id)[:-1] + ("0" if str(run_id)[-1] != "0" else "1")
        await page.subscribe(f"run:{absent_id}", 0)
        absent = await page.receive()
    assert hidden["error"] == absent["error"]
    assert hidden["error"]["code"] == "not_found"


async def test_the_list_of_an_environment_that_one_may_not_see_does_not_exist(signed_in: Client) -> None:
    async with browser(signed_in) as page:
        for topic in ("runs:prod", "runs:nowhere", "runs:", "run:1", "weather:x", ""):
            await page.subscribe(topic, 0)
            refused = await page.receive()
            assert (refused["topic"], refused["error"]["code"]) == (topic, "not_found")


async def signed_out(user: User) -> None:
    await Session.objects.all().adelete()


async def made_inactive(user: User) -> None:
    await User.objects.filter(pk=user.pk).aupdate(is_active=False)


async def gets_a_new_password(user: User) -> None:
    user.set_password("another long enough one")
    await user.asave()


@pytest.mark.parametrize("happens", [signed_out, made_inactive, gets_a_new_password])
async def test_a_session_that_ends_closes_its_sockets(signed_in, viewer, monkeypatch, happens) -> None:
    monkeypatch.setattr(LiveConsumer, "recheck_s", 0.05)
    async with browser(signed_in) as page:
        await happens(viewer)
        assert await page.closed_with() == 4401


async def test_a_membership_that_ends_closes_the_sockets_that_show_its_environment(
    signed_in, viewer, monkeypatch
) -> None:
    prod = await Environment.objects.aget(name="prod")
    await prod.members.aadd(viewer)
    monkeypatch.setattr(LiveConsumer, "recheck_s", 0.05)
    async with browser(signed_in) as page:
        await page.subscribe("runs:prod", "2026-01-01T00:00:00Z")
        refused = await page.receive()
        assert refused["error"]["code"] == "cursor_too_old", "the topic was open; only its cursor was refused"
        from django.utils import timezone

        await page.subscribe("runs:prod", timezone.now().isoformat())
        await page.until_live("runs:prod")
        await prod.members.aremove(viewer)
        assert await page.closed_with() == 4403


async def test_a_socket_whose_person_stays_stays_open(signed_in: Client, monkeypatch) -> None:
    checks = 0

    def counted(*args: object) -> None:
        nonlocal checks
        checks += 1

    monkeypatch.setattr("runs.consumers.refusal_of", counted)
    monkeypatch.setattr(LiveConsumer, "recheck_s", 0.01)
    async with browser(signed_in) as page:
        while checks < 3:
            await page.send(ping=1)
            assert await page.receive() == {"pong": 1}
