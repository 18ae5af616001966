"""Counters go up for as long as the process lives, so tests look at how far they moved."""

from collections.abc import Callable
from typing import Any

import pytest

from agentconsole import metrics
from agentconsole.monitoring import door
from agentconsole.monitoring.database import DatabaseCollector
from tests.jobs.conftest import sent, worker
from tests.live.conftest import environments, notebook, signed_in
from tests.metrics.scraping import Moved, counted

__all__ = ["environments", "notebook", "sent", "signed_in", "worker"]


@pytest.fixture
def moved() -> Callable[..., Moved]:
    """`moved("name", label=…)` begins to watch; calling what it gives says how far it went since."""

    def watch(name: str, **labels: str) -> Moved:
        before = counted(name, **labels)
        return lambda: counted(name, **labels) - before

    return watch


@pytest.fixture(autouse=True)
def _nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a scrape read of the database is no other test's, nor are the tools' names that this process met so far."""
    monkeypatch.setattr(door, "shown", door.registry_of(DatabaseCollector()))
    monkeypatch.setattr(metrics, "_tools", metrics.Names(metrics.TOOLS_MAX))


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> Callable[..., DatabaseCollector]:
    """Puts a collector in place of the one that the door shows."""

    def put(read: Callable[[], Any], **limits: float) -> DatabaseCollector:
        collector = DatabaseCollector(read, **limits)
        monkeypatch.setattr(door, "shown", door.registry_of(collector))
        return collector

    return put
