"""How a value of an attribute is read, by the names that the table of conventions uses. None: it says nothing."""

from collections.abc import Callable
from typing import Any

from traces.mapping.messages import text_of
from traces.mapping.values import as_text, from_repr, parsed

LABEL_MAX = 500
# What sources write in place of a value that they don't have or don't tell.
_UNTOLD = frozenset({"", "<not specified>", "<not set>", "unknown", "None", "null", "N/A"})
_CHOICE = "gen_ai.choice"
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


def _unless_empty(value: Any) -> Any:
    """Where an empty object says that nothing is told: ADK with its content off, LangSmith of what failed."""
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


def _told_content(value: Any) -> Any:
    """What the last of several messages carries, as a tool's span has it in its events."""
    message = value[-1] if isinstance(value, list) and value else None
    content = message.get("content", UNTOLD) if isinstance(message, dict) else UNTOLD
    text = text_of(content) if isinstance(content, list) and content else None
    return from_repr(content if text is None else text)


def _events_asked(value: Any) -> Any:
    """What a model was given, of a list of events (Logfire, Pydantic AI before 1.0)."""
    return [event for event in _events(value) if event.get("event.name") != _CHOICE] or UNTOLD


def _events_answered(value: Any) -> Any:
    """What a model answered, of a list of events."""
    return [event.get("message", event) for event in _events(value) if event.get("event.name") == _CHOICE] or UNTOLD


def _events(value: Any) -> list[dict[str, Any]]:
    events = parsed(value)
    return [event for event in events if isinstance(event, dict)] if isinstance(events, list) else []


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
    "unless_empty": _unless_empty,
    "first_user": _first_user,
    "told_content": _told_content,
    "events_asked": _events_asked,
    "events_answered": _events_answered,
    "count": _count,
    "cost": _cost,
    "flag": _flag,
}
