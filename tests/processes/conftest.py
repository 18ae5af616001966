"""Consoles in real processes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes.database import own_database
from tests.processes.running import RunningConsole


@pytest.fixture
def console(tmp_path: Path) -> Iterator[RunningConsole]:
    """A console that is about to be started."""
    with own_database() as database:
        running = RunningConsole(tmp_path, **database)
        yield running
        running.end()


@pytest.fixture
def up(console: RunningConsole) -> RunningConsole:
    """A console that is up."""
    console.start()
    return console
