"""The cast around the approval queue."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User

from approvals.models import AuditEntry
from approvals.queries.audit import verify_chain
from tests.cast import AgentCaller, make_agent, make_person


@pytest.fixture
def dana(environments: None) -> User:
    """A second operator."""
    return make_person("dana", "operator")


@pytest.fixture
def other_instance(agent: AgentCaller) -> AgentCaller:
    """The same agent, installed a second time."""
    return make_agent("dev", "triage", "two")


@pytest.fixture
def refused(agent: AgentCaller) -> Callable[[], list[str]]:
    """The codes of what was refused so far, as the audit chain tells them, in order."""
    import json

    def codes() -> list[str]:
        entries = AuditEntry.objects.filter(token__endswith="_REFUSED").order_by("seq")
        return [json.loads(entry.data)["code"] for entry in entries]

    return codes


@pytest.fixture
def begun_minute(time_machine: Any) -> None:
    """A minute, the window of a rate, that has just begun."""
    time_machine.move_to("2026-11-22T21:00:01Z")


@pytest.fixture
def whole_chain(db: None) -> Iterator[None]:
    """Whatever the test did, the audit chain is whole afterwards."""
    yield
    assert verify_chain().broken == ""
