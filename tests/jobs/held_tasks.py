"""Tasks of a worker that is being tested: `celery -A agentconsole worker -I tests.jobs.held_tasks`."""

import time
from pathlib import Path

from celery import shared_task


@shared_task
def hold(folder: str) -> None:
    """Leave `held`, and work until there is `release`."""
    (Path(folder) / "held").touch()
    while not (Path(folder) / "release").exists():
        time.sleep(0.05)


@shared_task
def note(file: str) -> None:
    """Leave a file."""
    Path(file).touch()
