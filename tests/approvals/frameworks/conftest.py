"""A running console, and a tool that should not run without it."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from agentapprovalprotocol import Client, Request

from approvals.models import Action
from tests.cast import AgentCaller
from tests.live.test_web_processes import web_process

Ran = list[dict[str, Any]]
Delivered = Callable[[Action], tuple[Mapping[str, Any], Request]]


@pytest.fixture(scope="module")
def url(django_db_setup: None) -> Iterator[str]:
    """One web process for a module's tests: each brings its own people, agents and credentials."""
    with web_process() as address:
        yield address


@pytest.fixture(autouse=True)
def _stays_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Frameworks like to call home. Here they meet a proxy that isn't there."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        for spelling in (name, name.lower()):
            monkeypatch.setenv(spelling, "http://127.0.0.1:9")
    for spelling in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(spelling, "127.0.0.1")


@pytest.fixture
def delivered(url: str, agent: AgentCaller) -> Iterator[Delivered]:
    """What the package's `Receiver` hands to a `resumer`: where the run waits, and the request as it is now."""
    client = Client(f"{url}/api/aap", agent.token)

    def deliver(action: Action) -> tuple[Mapping[str, Any], Request]:
        asked = client.get(str(action.id))
        assert asked.context is not None
        return asked.context["resume"], asked

    yield deliver
    client.close()


@pytest.fixture
def ran() -> Ran:
    """The arguments of each time that the tool ran."""
    return []


@pytest.fixture
def restart(ran: Ran) -> Callable[..., str]:
    """The tool. A service called `gone` can't be restarted."""

    def restart(service: str, grace_s: float) -> str:
        """Restart a service."""
        ran.append({"service": service, "grace_s": grace_s})
        if service == "gone":
            raise LookupError("no such service")
        return "restarted"

    return restart
