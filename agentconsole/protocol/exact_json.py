"""JSON whose numbers stay what they were, letter for letter, and whose doubtful forms are refused instead of repaired."""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NoReturn

DEPTH_MAX = 64
_SURROGATE = re.compile("[\ud800-\udfff]")
# A text that never ends is taken to the end at once. Were it no match, each quote in it would start the search again.
_OPENING = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)
_NUMBER = re.compile(r"(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?")
# Python's Decimal holds powers of ten up to 18 digits long, its own digits counted in.
POWER_MAX = 10**17 - 1
_EXPONENT_DIGITS = 30
_INT_WRITTEN = 10**4000


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it was written: `1.0`, `-0`, `1E2`, `9007199254740993`. Equal to another by its text."""

    text: str

    def parts(self) -> tuple[bool, str, int]:
        """Its exact value: is negative, digits without zeros around them, power of ten. Zero is (False, "", 0).

        ExactJsonError for a power beyond POWER_MAX either way, and for a text that is no JSON number.
        """
        found = _NUMBER.fullmatch(self.text)
        if found is None:
            raise ExactJsonError("invalid_json", "That is no JSON number. Send it as a string.")
        sign, whole, fraction, exponent = found[1], found[2], found[3] or "", found[4] or "0"
        digits = (whole + fraction).lstrip("0")
        short = digits.rstrip("0")
        if not short:
            return (False, "", 0)
        size = exponent.lstrip("+-").lstrip("0")
        shift = len(digits) - len(short) - len(fraction)
        power = int(size[: _EXPONENT_DIGITS + 1] or "0") * (-1 if exponent.startswith("-") else 1) + shift
        if abs(power) > POWER_MAX:
            raise ExactJsonError("invalid_json", "A number's exponent is beyond all reason. Send it as a string.")
        return (sign == "-", short, power)

    def as_decimal(self) -> Decimal:
        """Its exact value, rounded by no context. ExactJsonError as `parts`."""
        negative, digits, power = self.parts()
        return Decimal(f"{'-' if negative else ''}{digits or '0'}e{power}")


class ExactJsonError(ValueError):
    """JSON that can't be taken as it is. `code` tells the kind, `place` where (`arguments.a.0`), never a value."""

    def __init__(self, code: str, message: str, place: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.place = place


def parse_exact(raw: bytes | str, *, depth_max: int = DEPTH_MAX) -> Any:
    """The value of JSON text, its numbers as `Number`. ExactJsonError.

    Refused: duplicate keys, NaN and infinities, lone surrogates however escaped, a byte order mark, anything after the value,
    nesting deeper than `depth_max`, powers of ten beyond POWER_MAX: whatever is parsed, code can compare.
    """
    text = _decoded(raw)
    _refuse_depth(text, depth_max)
    try:
        value = json.loads(
            text, object_pairs_hook=_pairs, parse_float=_scaled, parse_int=Number, parse_constant=_no_constant
        )
    except ExactJsonError:
        raise
    except (ValueError, RecursionError) as error:
        raise ExactJsonError("invalid_json", "The body is no JSON. Send one JSON value.") from error
    # Only text that could spell one is walked for it.
    if "\\u" in text or _SURROGATE.search(text):
        _refuse_surrogates(value, "")
    return value


def _decoded(raw: bytes | str) -> str:
    try:
        text = raw.decode("utf-8") if isinstance(raw, bytes) else raw
    except UnicodeDecodeError as error:
        raise ExactJsonError("not_utf8", "The body is no UTF-8. JSON is sent as UTF-8.") from error
    if text.startswith("\ufeff"):
        raise ExactJsonError("invalid_json", "The body begins with a byte order mark. Leave it out.")
    return text


def _refuse_depth(text: str, depth_max: int) -> None:
    """Count brackets outside of strings: the parser below recurses, and must never see what is too deep."""
    depth = 0
    if text.count("[") + text.count("{") <= depth_max:
        return
    for found in _OPENING.finditer(text):
        bracket = found[0]
        if bracket in "[{":
            depth += 1
            if depth > depth_max:
                raise ExactJsonError("too_deep", f"The JSON is nested deeper than {depth_max} levels. Flatten it.")
        elif bracket in "]}":
            depth -= 1


def _pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(items)
    if len(value) != len(items):
        seen: set[str] = set()
        twice = next(key for key, _item in items if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        shown = shown_key(twice)
        raise ExactJsonError("duplicate_key", f"The key {shown} comes twice in one object. Send each key once.", shown)
    return value


def _scaled(text: str) -> Number:
    number = Number(text)
    if len(text) > len(str(POWER_MAX)):
        number.parts()
    return number


def _no_constant(name: str) -> NoReturn:
    raise ExactJsonError("invalid_json", f"{name} is no JSON number. Send null or a string.")


def shown_key(key: str) -> str:
    """A key as an error may show it: escaped and cut."""
    return key[:60].encode("unicode_escape").decode("ascii")


def _refuse_surrogates(value: Any, place: str) -> None:
    if isinstance(value, str):
        if _SURROGATE.search(value):
            raise ExactJsonError(
                "lone_surrogate",
                f"{place or 'The body'} holds half of a character (a lone surrogate). Send whole ones.",
                place,
            )
        return
    for name, item in members(value):
        _refuse_surrogates(name, f"{place}.{shown_key(name)}".lstrip("."))
        _refuse_surrogates(item, f"{place}.{shown_key(name)}".lstrip("."))


def members(value: Any) -> Iterator[tuple[str, Any]]:
    """The members of an object by key, of a list by position; nothing of anything else."""
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list | tuple):
        yield from ((str(index), item) for index, item in enumerate(value))


def dump_exact(value: Any) -> str:
    """JSON text of a value: compact, keys in their order, a `Number` by its text.

    TypeError for what JSON has no word for, ValueError for NaN, infinities, and a `Number` that is none.
    """
    match value:
        case dict():
            for key in value:
                if not isinstance(key, str):
                    raise TypeError(f"a key of an object is a {type(key).__name__}, not a text")
            return "{" + ",".join(f"{_text(key)}:{dump_exact(item)}" for key, item in value.items()) + "}"
        case list() | tuple():
            return "[" + ",".join(map(dump_exact, value)) + "]"
        case str():
            return _text(value)
        case None | bool():
            return json.dumps(value)
        case Number() | Decimal() | int() | float():
            return _number_text(value)
        case _:
            raise TypeError(f"a {type(value).__name__} is no JSON value")


def _number_text(value: Number | Decimal | float) -> str:
    if isinstance(value, Number):
        if not _NUMBER.fullmatch(value.text):
            raise ValueError("a Number's text is no JSON number")
        return value.text
    if isinstance(value, int):
        # Beyond some length Python refuses to write an int; a Decimal is as exact and has no such limit.
        return int.__repr__(value) if abs(value) < _INT_WRITTEN else format(Decimal(value), "f")
    if not math.isfinite(value):
        raise ValueError("NaN and infinities are no JSON")
    return str(value) if isinstance(value, Decimal) else float.__repr__(value)


def _text(text: str) -> str:
    # Not str(text): that is a text enumeration's name, not its value.
    return json.dumps(text, ensure_ascii=False)


def number_of(value: Any) -> Number | None:
    """Any JSON number as a `Number`, None for what is none. Booleans are none. ValueError for NaN and infinities."""
    match value:
        case Number():
            return value
        case bool():
            return None
        case int() | Decimal() | float():
            return Number(_number_text(value))
        case _:
            return None


def plain(value: Any) -> Any:
    """The value with its numbers as int where they are whole and of bearable length, else Decimal: for code that computes."""
    if isinstance(value, Number):
        negative, digits, power = value.parts()
        sign = -1 if negative else 1
        if power >= 0 and len(digits) + power <= 400:  # noqa: PLR2004  beyond it, an int would only cost
            return sign * int(digits or "0") * 10**power
        return value.as_decimal()
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


def same_json(a: Any, b: Any) -> bool:
    """Whether two JSON values are equal: numbers by exact value, texts code point by code point, key order aside."""
    left, right = number_of(a), number_of(b)
    if left is not None or right is not None:
        return left is not None and right is not None and left.parts() == right.parts()
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same_json(item, b[key]) for key, item in a.items())
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(map(same_json, a, b))
    if isinstance(a, str) and isinstance(b, str):
        return str.__eq__(a, b)
    return type(a) is type(b) and bool(a == b)
