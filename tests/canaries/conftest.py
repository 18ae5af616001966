"""The console's log as it is written, not as pytest sees its records before they are redacted."""

import io
import logging
from collections.abc import Iterator

import pytest

from agentconsole.logconf import logging_config


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Every line of the test, in the form of production."""
    make = dict(logging_config(level="DEBUG", log_format="json")["formatters"]["json"])
    lines = io.StringIO()
    handler = logging.StreamHandler(lines)
    handler.setFormatter(make.pop("()")(**make))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel("DEBUG")
    yield lines
    root.removeHandler(handler)
    root.setLevel(level)
