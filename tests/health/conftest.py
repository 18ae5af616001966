"""A board with parts that do what the test says."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import time_machine

from agentconsole import lifecycle
from agentconsole.health.board import Board
from agentconsole.health.proof import Component, Proof

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def unused() -> Proof:
    """A check that no test calls."""
    raise AssertionError


@pytest.fixture
def board() -> Board:
    """A critical part, and one that is not."""
    return Board(
        [Component("engine", "Engine", 20, unused), Component("radio", "Radio", 20, unused, is_critical=False)]
    )


@pytest.fixture
def noon() -> Iterator[time_machine.Traveller]:
    """The clock stands at NOW."""
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def draining(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process was asked to stop."""
    monkeypatch.setattr(lifecycle, "_draining", type("Set", (), {"is_set": staticmethod(lambda: True)}))
