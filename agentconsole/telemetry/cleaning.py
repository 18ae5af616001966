"""What may leave: everything that is exported passes here, after the rules of redaction and of `faults`."""

import re
from typing import Any

from agentconsole.faults import without_secrets
from agentconsole.protocol.redaction import scrub

_SQL_MAX = 2000
_LITERAL = re.compile(r"'(?:[^']|'')*'?")


def clean(value: Any) -> Any:
    """A JSON value without secrets: by telling names, by their form, and those that this process was given by their text."""
    return _deep(scrub(value)[0])


def _deep(value: Any) -> Any:
    if isinstance(value, str):
        return without_secrets(value)
    if isinstance(value, dict):
        return {name: _deep(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_deep(item) for item in value]
    return value


def statement(sql: str) -> str:
    """A statement to show: parameters are not in it, and what is quoted in it becomes `?`."""
    return _LITERAL.sub("?", " ".join(sql.split()))[:_SQL_MAX]
