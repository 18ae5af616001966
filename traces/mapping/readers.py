"""How a value of an attribute is read, by the names that the table of conventions uses. None: it says nothing."""

from collections.abc import Callable
from typing import Any

from traces.mapping.values import as_text, parsed

LABEL_MAX = 500
# What sources write in place of a value that they don't have or don't tell.
_UNTOLD = frozenset({"", "<not specified>", "<not set>", "unknown", "None", "null", "N/A"})
_SCRUBBED = "[Scrubbed due to"
_FLAGS = {"true": True, "false": False, "1": True, "0": False}


def _text(value: Any) -> str | None:
    """A short text: unquoted if JSON-quoted, the first of a list."""
    if isinstance(value, list):
        value = value[0] if value else ""
    if not isinstance(value, str):
        return None if value is None or isinstance(value, bool | dict | list) else str(value)[:LABEL_MAX]
    text = value.strip()
    if text[:1] == '"':
        text = as_text(parsed(text))
    return None if text in _UNTOLD or text.startswith(_SCRUBBED) else text[:LABEL_MAX]


def _tool_name(value: Any) -> str | None:
    """A tool's name, without the MCP server that it came through (`mcp__server__tool`)."""
    text = _text(value)
    if text is not None and text.startswith("mcp__") and text.count("__") > 1:
        return text.split("__", 2)[2]
    return text


def _value(value: Any) -> Any:
    """A payload, from its JSON text where it is one. `Untold` is no payload; an empty text is."""
    return UNTOLD if value == "<not specified>" else parsed(value)


def _adk_response(value: Any) -> Any:
    """With its content off, ADK writes an empty object for any response."""
    found = _value(value)
    return UNTOLD if found == {} else found


def _first_user(value: Any) -> Any:
    """What the user said first, of a whole conversation."""
    messages = parsed(value)
    if isinstance(messages, list):
        for message in messages[:20]:
            if isinstance(message, dict) and message.get("role") == "user":
                return [message]
    return UNTOLD


def _count(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = int(value)
    except (ValueError, OverflowError):
        return None
    return number if 0 <= number < 2**53 else None


def _cost(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if 0 <= number < 1e9 else None  # noqa: PLR2004  no infinity, no NaN, no sum that is real


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else _FLAGS.get(str(value).lower())


class _Untold:
    """A payload may be null; this is none."""


UNTOLD = _Untold()
READERS: dict[str, Callable[[Any], Any]] = {
    "text": _text,
    "tool_name": _tool_name,
    "value": _value,
    "adk_response": _adk_response,
    "first_user": _first_user,
    "count": _count,
    "cost": _cost,
    "flag": _flag,
}
