"""The people and agents of the tests, made the way that the console makes them."""

import json
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import Group, User
from django.test import Client

from runs.models import AgentInstance
from runs.services.credentials import issue_credential

PASSWORD = "correct horse battery staple"


@dataclass(frozen=True)
class AgentCaller:
    """An agent's instance, and the credential that it calls with."""

    instance: AgentInstance
    token: str

    @property
    def environment(self) -> str:
        """The one environment of its credential."""
        return self.instance.agent.environment_id

    @property
    def headers(self) -> dict[str, str]:
        """What its calls carry."""
        return {"Authorization": f"Bearer {self.token}"}

    def send(self, *items: dict[str, Any], **headers: str) -> Any:
        """Post items to the ingest; the response."""
        body = json.dumps({"items": list(items)})
        return Client().post(
            "/api/v1/ingest", body, content_type="application/json", headers={**self.headers, **headers}
        )


def make_person(username: str, group: str | None = None) -> User:
    """A user, in a group or in none. The groups must exist."""
    person = User.objects.create_user(username=username, password=PASSWORD)
    if group:
        person.groups.add(Group.objects.get(name=group))
    return person


def make_agent(environment: str, name: str, instance: str = "one") -> AgentCaller:
    """An agent's instance with a fresh credential."""
    issued = issue_credential(actor="tests", environment=environment, agent=name, instance=instance)
    return AgentCaller(issued.instance, issued.token)
