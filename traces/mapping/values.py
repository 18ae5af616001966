"""What a value is under its wrappings: JSON in a text, JSON-quoted text, Python's repr, or plain. Never raises."""

import ast
import json
import math
import re
from typing import Any, NoReturn

JSON_MAX = 1_000_000  # characters of a text that is parsed; a longer one stays text
REPR_MAX = 16_000  # Python's parser takes ten times as long as the JSON one
DEPTH_MAX = 20  # what is nested deeper stays text: stores refuse it
_OPENERS = ("{", "[", '"')
_BRACKETS = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[{(]|[\]})]', re.DOTALL)
_REPR_BRACKETS = re.compile(r"""'(?:[^'\\]++|\\.)*+'?|"(?:[^"\\]++|\\.)*+"?|[\[{(]|[\]})]""", re.DOTALL)
# What a repr never writes, and what Python warns of.
_BAD_ESCAPE = re.compile(r"\\[^\\'\"abfnrtvxuUN0-7\n]")
_UNSTORABLE = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")


def parsed(value: Any) -> Any:
    """The value that a text is the JSON of, else the text itself. What is no text is bounded in depth and stays."""
    if not isinstance(value, str):
        return bounded(value)
    text = value.strip()
    if not text.startswith(_OPENERS) or len(text) > JSON_MAX or text[-1] not in '}]"':
        return value
    if _is_deep(text, _BRACKETS):
        return value
    try:
        found = _DECODER.decode(text)
        if "\\u" in text and _UNSTORABLE.search(text):
            _refuse_unstorable(found)
    except (ValueError, RecursionError):
        return value
    return found


def from_repr(value: Any) -> Any:
    """As `parsed`, and a text that is Python's repr of a literal is read too, its tuples and sets as lists."""
    found = parsed(value)
    if not isinstance(found, str):
        return found
    text = found.strip()
    if not text.startswith(("{", "[", "(", "'", '"', "None", "True", "False")) or len(text) > REPR_MAX:
        return found
    if _is_deep(text, _REPR_BRACKETS) or _BAD_ESCAPE.search(text):
        return found
    try:
        return _as_json(ast.literal_eval(text))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return found


def bounded(value: Any) -> Any:
    """A structure whose parts below DEPTH_MAX are texts."""
    return value if not isinstance(value, dict | list) else _bounded(value, DEPTH_MAX)


def as_text(value: Any) -> str:
    """A value as one line of text for a label or a message: a text as it is, anything else as JSON."""
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value, ensure_ascii=False, default=str)
    except (ValueError, RecursionError):
        return ""


def _bounded(value: Any, depth: int) -> Any:
    if not isinstance(value, dict | list) or not value:
        return value
    if depth == 0:
        return as_text(value)
    if isinstance(value, dict):
        return {key: _bounded(item, depth - 1) for key, item in value.items()}
    return [_bounded(item, depth - 1) for item in value]


def _is_deep(text: str, brackets: re.Pattern[str]) -> bool:
    """Brackets outside of texts, counted before any parser that recurses sees them."""
    if text.count("{") + text.count("[") + text.count("(") <= DEPTH_MAX:
        return False
    depth = 0
    for found in brackets.finditer(text):
        if found[0] in "[{(":
            depth += 1
            if depth > DEPTH_MAX:
                return True
        elif found[0] in "]})":
            depth -= 1
    return False


def _refuse_unstorable(value: Any) -> None:
    """ValueError for a NUL or half a character, which no database keeps: as an escape in the text it is harmless."""
    text = json.dumps(value, ensure_ascii=False)
    if "\\u0000" in text:
        raise ValueError
    text.encode()


def _as_json(value: Any) -> Any:
    if isinstance(value, dict):
        return {key if isinstance(key, str) else repr(key): _as_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_as_json(item) for item in value]
    if isinstance(value, set | frozenset):
        return [_as_json(item) for item in sorted(value, key=repr)]
    if isinstance(value, str):
        if "\0" in value:
            raise ValueError
        value.encode()  # half a character is refused with the whole
        return value
    is_plain = value is None or isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))
    return value if is_plain else repr(value)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


_DECODER = json.JSONDecoder(parse_constant=_no_constant)
