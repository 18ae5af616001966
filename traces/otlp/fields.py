"""Fields of OTLP/JSON, leniently read: both spellings of a name, numbers as texts, enumerations by name. Pure.

WrongTypeError names a field whose form leaves its item without sense. An attribute's value is always kept, as whatever it is.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from traces.otlp.errors import WrongTypeError
from traces.otlp.reading import MAX_DEPTH, TOO_DEEP, known, number, storable

Part = Mapping[str, Any]

_WHOLE = re.compile(r"[+-]?[0-9]{1,20}")
_HEX = re.compile(r"[0-9a-f]+")
_INT64, _MOST_BITS = 2**63, 1024
TOO_LONG = "[a number too long to keep]"


def field(part: Part, camel: str, snake: str) -> Any:
    """A field under either of its names; None where it is not."""
    value = part.get(camel)
    return part.get(snake) if value is None else value


def as_part(value: Any, name: str) -> Part:
    """An object. WrongTypeError."""
    if not isinstance(value, dict):
        raise WrongTypeError(f"{name}: an object is expected.")
    return value


def part_of(part: Part, name: str) -> Part:
    """A field that is an object; an empty one where it is not there. WrongTypeError."""
    value = part.get(name)
    return {} if value is None else as_part(value, name)


def list_of(part: Part, camel: str, snake: str) -> list[Any]:
    """A field that is a list; an empty one where it is not there. WrongTypeError."""
    value = field(part, camel, snake)
    if value is None:
        return []
    if not isinstance(value, list):
        raise WrongTypeError(f"{camel}: a list is expected.")
    return value


def text_of(part: Part, camel: str, snake: str) -> str:
    """A field that is text; "" where it is not there. WrongTypeError."""
    value = field(part, camel, snake)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise WrongTypeError(f"{camel}: text is expected.")
    return sound(value)


def whole_of(part: Part, camel: str, snake: str) -> int:
    """A field that is a whole number, as such or as text; 0 where it is not there. WrongTypeError."""
    value = field(part, camel, snake)
    match value:
        case None | "":
            return 0
        case bool():
            pass
        case int() if 0 <= value < 2 * _INT64:
            return value
        case float() if value.is_integer() and 0 <= value < 2 * _INT64:
            return int(value)
        case str() if _WHOLE.fullmatch(value):
            return int(value)
    raise WrongTypeError(f"{camel}: a whole number of 64 bits is expected, as such or as text.")


def choice_of(part: Part, camel: str, snake: str, names: Mapping[str, int], most: int) -> int:
    """A field that is a value of an enumeration, by number or by name; 0 where it is not there or none that is known."""
    value = field(part, camel, snake)
    if isinstance(value, str):
        value = int(value) if _WHOLE.fullmatch(value) else names.get(value)
    return known(value, most) if isinstance(value, int) else 0


def hex_of(part: Part, camel: str, snake: str, digits: int) -> str:
    """A field that is an id of so many hex digits, in lower case; "" where it is none, or zero."""
    value = field(part, camel, snake)
    if not isinstance(value, str) or len(value) != digits:
        return ""
    value = value.lower()
    return value if _HEX.fullmatch(value) and value.strip("0") else ""


def sound(text: str) -> str:
    """The text with what can't be stored replaced: NUL by its picture, halves of surrogate pairs by U+FFFD."""
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return storable(text)


def any_value(value: Any, depth: int = 0) -> Any:
    """What an AnyValue says. What is none is taken as it is."""
    if not isinstance(value, dict):
        return plain(value, depth)
    for name, inner in value.items():
        if reader := _READERS.get(name):
            return reader(inner, depth)
    return plain(value, depth) if value else None


def _whole(value: Any, depth: int) -> Any:
    return plain(int(value) if isinstance(value, str) and _WHOLE.fullmatch(value) else value, depth)


def _double(value: Any, depth: int) -> Any:
    try:
        return number(float(value)) if isinstance(value, str | int | float) else plain(value, depth)
    except (ValueError, OverflowError):
        return plain(value, depth)


def _list(value: Any, depth: int) -> Any:
    values = value.get("values", []) if isinstance(value, dict) else value
    if depth >= MAX_DEPTH or not isinstance(values, list):
        return plain(values, depth)
    return [any_value(inner, depth + 1) for inner in values]


def _pairs(value: Any, depth: int) -> Any:
    pairs = value.get("values", []) if isinstance(value, dict) else value
    if depth >= MAX_DEPTH or not isinstance(pairs, list):
        return plain(pairs, depth)
    if not all(isinstance(pair, dict) and isinstance(pair.get("key"), str) for pair in pairs):
        return plain(pairs, depth)
    return {sound(pair["key"]): any_value(pair.get("value"), depth + 1) for pair in pairs}


def plain(value: Any, depth: int = 0) -> Any:
    """JSON as it is, less what can't be stored."""
    reader = _PLAIN.get(type(value))
    return reader(value, depth) if reader else value


def _plain_whole(value: int, depth: int) -> int | str:
    if -_INT64 <= value < _INT64:
        return value
    return str(value) if value.bit_length() <= _MOST_BITS else TOO_LONG


def _plain_list(value: list[Any], depth: int) -> Any:
    return TOO_DEEP if depth >= MAX_DEPTH else [plain(inner, depth + 1) for inner in value]


def _plain_object(value: dict[str, Any], depth: int) -> Any:
    if depth >= MAX_DEPTH:
        return TOO_DEEP
    return {sound(key): plain(inner, depth + 1) for key, inner in value.items()}


_PLAIN: dict[type, Callable[[Any, int], Any]] = {
    str: lambda value, _depth: sound(value),
    float: lambda value, _depth: number(value),
    int: _plain_whole,
    list: _plain_list,
    dict: _plain_object,
}
_BY_KIND: dict[tuple[str, str], Callable[[Any, int], Any]] = {
    ("stringValue", "string_value"): plain,
    ("boolValue", "bool_value"): plain,
    ("bytesValue", "bytes_value"): plain,
    ("intValue", "int_value"): _whole,
    ("doubleValue", "double_value"): _double,
    ("arrayValue", "array_value"): _list,
    ("kvlistValue", "kvlist_value"): _pairs,
}
_READERS = {name: reader for names, reader in _BY_KIND.items() for name in names}
