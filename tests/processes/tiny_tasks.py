"""A task for tests of workers: it writes down in a file that it begins and that it is done."""

import time
from pathlib import Path

from celery import shared_task


@shared_task
def work(file: str, seconds: float) -> None:
    """Take so long."""
    note(file, "begun")
    time.sleep(seconds)
    note(file, "done")


def note(file: str, word: str) -> None:
    """One more line."""
    with Path(file).open("a", encoding="ascii") as lines:
        lines.write(f"{word}\n")
