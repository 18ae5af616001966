"""SIGTERM to a command that must clean up behind itself."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def cleaning_up_on_sigterm() -> Iterator[None]:
    """SIGTERM unwinds what is under way and exits with 143; unhandled, it would end the process on the spot."""
    before = signal.signal(signal.SIGTERM, _leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)
