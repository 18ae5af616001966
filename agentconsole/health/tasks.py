"""The task that proves that tasks run."""

import socket

from celery import shared_task

from agentconsole.services import record_beat


@shared_task
def beat() -> None:
    """Leave the worker's sign of life. It was scheduled, sent, taken and run to get here."""
    record_beat("worker", socket.gethostname())
