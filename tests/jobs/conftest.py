"""A broker in memory, what waits in it, and a worker that empties it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from celery.contrib.testing.worker import start_worker

from agentconsole.celery import app

Message = dict[str, Any]


@pytest.fixture
def sent() -> Iterator[Callable[[], list[Message]]]:
    """No worker: the headers of the messages that wait in the queue; each is told once."""
    with app.connection_for_read() as connection, connection.SimpleQueue("celery") as queue:

        def take() -> list[Message]:
            taken = []
            while queue.qsize():
                message = queue.get_nowait()
                message.ack()
                taken.append(message.headers)
            return taken

        yield take
        queue.clear()


@pytest.fixture(scope="module")
def worker() -> Iterator[None]:
    """A worker in a thread of this process."""
    with start_worker(app, pool="solo", perform_ping_check=False, shutdown_timeout=10):
        yield
