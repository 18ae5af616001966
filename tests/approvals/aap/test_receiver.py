"""`Receiver.provision` and webhooks, end to end: the receiver proves itself, is told, and wakes its run."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from agentapprovalprotocol import Receiver, WebhookVerificationFailed
from agentapprovalprotocol._client import CredentialRefused, ProvisionError
from channels.db import database_sync_to_async
from django.contrib.auth.models import User

from approvals.models import Action, Notification, ProvisionedInstance, WebhookReceiver
from approvals.services.delivering import deliver
from approvals.services.provisioners import issue_provisioner
from tests.approvals.asking import decide
from tests.cast import AgentCaller

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


@asynccontextmanager
async def serving(receiver: Receiver) -> AsyncIterator[str]:
    """The receiver behind a real server; its URL."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(receiver.asgi(), log_level="error", lifespan="off", ws="none"))
    task = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        while not server.started:  # noqa: ASYNC110  uvicorn tells nobody
            await asyncio.sleep(0.02)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/aap/events"
    finally:
        server.should_exit = True
        await task


@pytest.fixture
def token(environments: None) -> str:
    """A provisioner's token for `bot` in `dev`."""
    return issue_provisioner(actor="person:ada", environment="dev", agent="bot", name="ci").token


async def test_a_receiver_is_verified_told_and_wakes_its_run(base_url: str, token: str, operator: User, settings: Any):
    settings.WEBHOOK_ALLOW_PRIVATE = True
    woken: asyncio.Queue[str] = asyncio.Queue()
    receiver = Receiver(resumers={"test": lambda _handle, request: woken.put_nowait(request.status)})
    async with serving(receiver) as url:
        made = await receiver.provision(
            provider_url=base_url, provisioner_token=token, url=url, instance_name="Laptop of Chris"
        )
        body = {"tool": "x", "arguments": {}, "timeout": "1h", "context": {"resume": {"framework": "test"}}}
        assert receiver.client is not None
        asked = await receiver.client.create(body, "k")
        action = await database_sync_to_async(Action.objects.get)(id=asked.id)
        await database_sync_to_async(decide)(operator, action)
        notification = await database_sync_to_async(Notification.objects.get)()
        assert await database_sync_to_async(deliver)(notification.id)
        async with asyncio.timeout(10):
            assert await woken.get() == "approved"
        await receiver.client.aclose()
        again = await receiver.provision(
            provider_url=base_url, provisioner_token=token, url=url, instance_name="Laptop of Chris"
        )
        assert (again.instance_id, again.token) == (made.instance_id, made.token)
        await receiver.client.aclose()


async def test_a_receiver_that_knows_nothing_of_it_is_not_called_again(base_url: str, token: str):
    stranger, receiver = Receiver(resumers={}), Receiver(resumers={})
    stranger.secret, stranger.registration_id = "whsec_" + "A" * 43 + "=", "other"
    async with serving(stranger) as url:
        with pytest.raises(WebhookVerificationFailed):
            await receiver.provision(provider_url=base_url, provisioner_token=token, url=url)
    assert not await database_sync_to_async(ProvisionedInstance.objects.exists)()


async def test_an_instance_credential_provisions_nothing(base_url: str, agent: AgentCaller):
    receiver = Receiver(resumers={})
    with pytest.raises(ProvisionError) as refusal:
        await receiver.provision(provider_url=base_url, provisioner_token=agent.token, url="http://127.0.0.1:9/x")
    assert refusal.value.status == 403


async def test_deleting_an_instance_ends_all_of_it(base_url: str, token: str):
    import httpx

    receiver = Receiver(resumers={})
    async with serving(receiver) as url, httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}) as http:
        made = await receiver.provision(provider_url=base_url, provisioner_token=token, url=url)
        assert receiver.client is not None
        asked = await receiver.client.create({"tool": "x", "arguments": {}, "timeout": "1h"}, "k")
        path = f"{base_url}/v1/instances/{made.instance_id}"
        assert [(await http.delete(path)).status_code for _ in range(2)] == [204, 204]
        assert (await http.get(path)).status_code == 404
        with pytest.raises(CredentialRefused):
            await receiver.client.get(asked.id)
        action = await database_sync_to_async(Action.objects.get)()
        assert action.status == "cancelled"
        assert not await database_sync_to_async(Notification.objects.exists)()
        assert not await database_sync_to_async(WebhookReceiver.objects.exists)()
        replay = await http.post(
            f"{base_url}/v1/instances",
            json={
                "delivery": {
                    "type": "webhook",
                    "url": url,
                    "registration_id": made.registration_id,
                    "signing_secret": made.secret,
                }
            },
            headers={"Idempotency-Key": made.registration_id},
        )
        assert (replay.status_code, replay.json()["error"]["code"]) == (409, "instance_deleted")
        await receiver.client.aclose()
