"""A provisioner, its calls, and a receiver for what it makes."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from approvals.models import Provisioner
from approvals.services.provisioners import issue_provisioner
from tests.approvals.webhooks.receivers import Receiver, receiving

INSTANCES = "/api/aap/v1/instances"


class Caller:
    """A program with a provisioner's token, or with what it takes for one."""

    def __init__(self, token: str) -> None:
        self.token = token

    def call(self, method: str, path: str, body: Any = None, key: str | None = None) -> Any:
        """The response."""
        headers = {"Authorization": f"Bearer {self.token}", **({"Idempotency-Key": key} if key else {})}
        content = "" if body is None else json.dumps(body)
        return Client().generic(method, path, content, content_type="application/json", headers=headers)

    def make(self, key: str = "k", **body: Any) -> Any:
        """`POST /v1/instances`."""
        return self.call("POST", INSTANCES, body, key)

    def change(self, instance_id: str, key: str = "u", **body: Any) -> Any:
        """`PATCH /v1/instances/{id}`."""
        return self.call("PATCH", f"{INSTANCES}/{instance_id}", body, key)

    def read(self, instance_id: str) -> Any:
        """`GET /v1/instances/{id}`."""
        return self.call("GET", f"{INSTANCES}/{instance_id}")

    def delete(self, instance_id: str) -> Any:
        """`DELETE /v1/instances/{id}`."""
        return self.call("DELETE", f"{INSTANCES}/{instance_id}")

    def ask(self, key: str = "a") -> Any:
        """`POST /v1/requests`."""
        return self.call("POST", "/api/aap/v1/requests", {"tool": "x", "arguments": {}, "timeout": "1h"}, key)


def code(response: Any) -> tuple[int, str]:
    """Status and code of an error."""
    return response.status_code, response.json()["error"]["code"]


@pytest.fixture
def provisioner(environments: None) -> Caller:
    """The token of `ci`, which makes instances of `bot` in `dev`."""
    return Caller(issue_provisioner(actor="person:ada", environment="dev", agent="bot", name="ci").token)


@pytest.fixture
def ci(provisioner: Caller) -> Provisioner:
    """Its row."""
    return Provisioner.objects.get()


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    """Listens on this machine, which a setting allows here."""
    settings.WEBHOOK_ALLOW_PRIVATE = True
    with receiving() as made:
        yield made
