"""A running console, and the PyPI client before it."""

from collections.abc import Iterator

import pytest
from agentapprovalprotocol import Client

from tests.cast import AgentCaller
from tests.live.test_web_processes import web_process


@pytest.fixture
def url(transactional_db: None, environments: None) -> Iterator[str]:
    """A web process on the test's database."""
    with web_process(WEBHOOK_ALLOW_PRIVATE="on", DATABASE_POOL_MAX="8") as address:
        yield address


@pytest.fixture
def base_url(url: str) -> str:
    """Where its provider is."""
    return f"{url}/api/aap"


@pytest.fixture
def client(base_url: str, agent: AgentCaller) -> Iterator[Client]:
    """The protocol's own client, unmodified."""
    made = Client(base_url, agent.token, retry_budget=5)
    yield made
    made.close()
