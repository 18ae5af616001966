"""The fields of a rule, one by one: JSON to value, or a ValueError in words that stand behind the field's name."""

import json
from collections.abc import Callable
from math import isfinite
from typing import Any

from agentconsole.protocol.exact_json import members
from approvals.policy.path import Path, parse_path
from approvals.policy.predicate import OPS, Predicate, kind_of
from approvals.policy.words import Risk

ITEMS_MAX = 50
NAME_MAX = 80
GROUP_MAX = 150
GLOB_MAX = 200
VALUE_MAX = 20_000
_DEPTH_MAX = 16
_ORDERED = ("gt", "ge", "lt", "le")


def refuse_unstorable(value: Any) -> None:
    """ValueError for what no database keeps or no request can equal: NUL, half a surrogate, NaN, infinities, deep nesting."""
    level = [value]
    for _depth in range(_DEPTH_MAX):
        for one in level:
            _refuse_one(one)
        level = [item for one in level for pair in members(one) for item in pair]
    if level:
        raise ValueError(f"is nested deeper than {_DEPTH_MAX} levels")


def _refuse_one(value: Any) -> None:
    if isinstance(value, str) and any(letter == "\0" or "\ud800" <= letter <= "\udfff" for letter in value):
        raise ValueError("holds a character that can't be kept: NUL, or half of one (a lone surrogate)")
    if isinstance(value, float) and not isfinite(value):
        raise ValueError("holds NaN or a number too large")


def read_name(value: Any) -> str:
    """What people read in the queue."""
    if not isinstance(value, str) or not value.strip() or len(value) > NAME_MAX or not value.isprintable():
        raise ValueError(f"is a printable text of 1 to {NAME_MAX} characters")
    return value.strip()


def read_group(value: Any) -> str:
    """A group's name, or nothing."""
    if not isinstance(value, str) or len(value) > GROUP_MAX:
        raise ValueError(f"is a text of at most {GROUP_MAX} characters")
    return value.strip()


def read_globs(value: Any) -> tuple[str, ...]:
    """Globs, any of which has to match."""
    if (
        not isinstance(value, list)
        or len(value) > ITEMS_MAX
        or not all(isinstance(glob, str) and 0 < len(glob) <= GLOB_MAX for glob in value)
    ):
        raise ValueError(f"is a list of at most {ITEMS_MAX} globs, such as deploy* or *.prod")
    return tuple(value)


def read_risks(value: Any) -> tuple[Risk, ...]:
    """Risks, any of which has to be declared."""
    if not isinstance(value, list):
        raise ValueError("is a list of low, medium, high")  # noqa: TRY004  every problem is one kind
    return _each(value, "entry", word(Risk))


def word(words: Any) -> Callable[[Any], Any]:
    """A reader of one word of an enumeration."""

    def read(value: Any) -> Any:
        try:
            return words(value)
        except ValueError as error:
            raise ValueError(f"is {', '.join(words)}") from error

    return read


def whole(least: int, most: int) -> Callable[[Any], int]:
    """A reader of whole numbers. Booleans are none."""

    def read(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise ValueError(f"is a whole number from {least} to {most}")
        return value

    return read


def read_switch(value: Any) -> bool:
    """True or false, not their like."""
    if not isinstance(value, bool):
        raise ValueError("is true or false")  # noqa: TRY004  every problem is one kind
    return value


def read_paths(value: Any) -> tuple[str, ...]:
    """Paths of arguments that may drift."""
    if not isinstance(value, list) or len(value) > ITEMS_MAX:
        raise ValueError(f"is a list of at most {ITEMS_MAX} paths, such as $.comment")
    return _each(value, "path", _excluded)


def _excluded(value: Any) -> str:
    path = _path(value)
    if not path.steps:
        raise ValueError("$ alone would let everything drift")
    return path.text


def _path(value: Any) -> Path:
    if not isinstance(value, str):
        raise ValueError("a path is a text")  # noqa: TRY004  every problem is one kind
    return parse_path(value)


def read_predicates(value: Any) -> tuple[Predicate, ...]:
    """Comparisons, all of which have to hold."""
    if not isinstance(value, list) or len(value) > ITEMS_MAX:
        raise ValueError(f'is a list of at most {ITEMS_MAX} comparisons {{"path", "op", "value"}}')
    return _each(value, "comparison", _predicate)


def _each(items: list[Any], what: str, read: Callable[[Any], Any]) -> tuple[Any, ...]:
    """All items, read; or every mistake among them in one sentence."""
    found, wrong = [], []
    for place, item in enumerate(items, 1):
        try:
            found.append(read(item))
        except ValueError as error:
            wrong.append(f"{what} {place}: {error}")
    if wrong:
        raise ValueError("; ".join(wrong))
    return tuple(found)


def _predicate(value: Any) -> Predicate:
    if not isinstance(value, dict) or not value.keys() <= {"path", "op", "value"}:
        raise ValueError('a comparison is {"path", "op", "value"}')
    op = value.get("op")
    if op not in OPS:
        raise ValueError(f"op is {', '.join(OPS)}")
    if (op in ("exists", "missing")) is ("value" in value):
        raise ValueError(f"{op} takes {'no' if 'value' in value else 'a'} value")
    _refuse_idle(op, value.get("value"))
    return Predicate(_path(value.get("path")), op, value.get("value"))


def _refuse_idle(op: str, value: Any) -> None:
    """A value that nothing could ever match is a mistake, and a dangerous one in a rule that denies."""
    if op == "in" and (not isinstance(value, list) or not value):
        raise ValueError("in takes a list of at least one value")
    if op in _ORDERED and kind_of(value) not in ("number", "text"):
        raise ValueError(f"{op} takes a number or a text")
    if op == "matches" and not isinstance(value, str):
        raise ValueError("matches takes a glob, such as prod-*")
    if len(json.dumps(value)) > VALUE_MAX:
        raise ValueError(f"the value is longer than {VALUE_MAX:,} characters")
