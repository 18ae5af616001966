"""Consoles in real processes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes.running import RunningConsole
from tests.processes.services import own_services
from tests.processes.tiny import Tiny


@pytest.fixture
def console(tmp_path: Path) -> Iterator[RunningConsole]:
    """A console that is about to be started."""
    with own_services() as services:
        running = RunningConsole(tmp_path, **services)
        yield running
        running.end()


@pytest.fixture
def up(console: RunningConsole) -> RunningConsole:
    """A console that is up."""
    console.start()
    return console


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Tiny]:
    """A web server that is up."""
    server = Tiny(tmp_path / "log")
    yield server
    server.process.kill()
    server.process.communicate()
