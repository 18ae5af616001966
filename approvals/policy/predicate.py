"""A comparison on an argument. What can't be compared doesn't match."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from agentconsole.protocol.exact_json import Number, number_of, same_json
from approvals.policy.path import Looks, Path, UnjudgeableError

Test = Callable[[Any, Looks], bool]


def _order(one: Number, other: Number) -> int:
    """Below, at or above 0 as `one` is less, equal or greater: by exact value, in the time of their length, whatever the exponent."""
    left, right = one.parts(), other.parts()
    if _sign(left) != _sign(right):
        return _sign(left) - _sign(right)
    # Of two numbers 0.ddd × 10^n without zeros in front, the greater n is greater, then the greater text of digits.
    sizes = (len(left[1]) + left[2], left[1]), (len(right[1]) + right[2], right[1])
    return ((sizes[0] > sizes[1]) - (sizes[0] < sizes[1])) * (_sign(left) or 1)


def _sign(parts: tuple[bool, str, int]) -> int:
    negative, digits, _power = parts
    return 0 if not digits else -1 if negative else 1


def _ordered(holds: Callable[[int], bool]) -> Callable[[Any], Test]:
    """A comparison of two numbers by exact value, or of two texts by code point; of anything else, no."""

    def against(value: Any) -> Test:
        limit = number_of(value)

        def test(found: Any, _looks: Looks) -> bool:
            number = number_of(found)
            if number is not None and limit is not None:
                return holds(_order(number, limit))
            return isinstance(found, str) and isinstance(value, str) and holds((found > value) - (found < value))

        return test

    return against


def _differs(value: Any) -> Test:
    """Something else of the same kind. Beside null, anything is something else."""
    return lambda found, _looks: (value is None or kind_of(found) == kind_of(value)) and not same_json(found, value)


def kind_of(value: Any) -> str:
    """The JSON kind of a value. A boolean is no number."""
    if isinstance(value, bool):
        return "boolean"
    if number_of(value) is not None:
        return "number"
    return {str: "text", dict: "object", list: "list", type(None): "null"}.get(type(value), "other")


def _is_in(value: Any) -> Test:
    items = value if isinstance(value, list) else []
    scalars = {_scalar(item) for item in items} - {None}
    others = [item for item in items if _scalar(item) is None]

    def test(found: Any, _looks: Looks) -> bool:
        scalar = _scalar(found)
        return scalar in scalars if scalar is not None else any(same_json(found, item) for item in others)

    return test


def _scalar(value: Any) -> Hashable | None:
    """What two equal values that hold no others have in common; None for lists and objects."""
    number = number_of(value)
    if number is not None:
        return ("number", number.parts())
    return None if isinstance(value, dict | list | tuple) else (kind_of(value), value)


def _contains(value: Any) -> Test:
    """A text contains a text, an object a key, a list an element."""

    def same(item: Any, looks: Looks) -> bool:
        looks.take()
        return same_json(item, value)

    def test(found: Any, looks: Looks) -> bool:
        if isinstance(found, str | dict):
            return isinstance(value, str) and value in found
        return isinstance(found, list) and any(same(item, looks) for item in found)

    return test


TESTS: dict[str, Callable[[Any], Test]] = {
    "eq": lambda value: lambda found, _looks: same_json(found, value),
    "ne": _differs,
    "gt": _ordered(lambda order: order > 0),
    "ge": _ordered(lambda order: order >= 0),
    "lt": _ordered(lambda order: order < 0),
    "le": _ordered(lambda order: order <= 0),
    "in": _is_in,
    "contains": _contains,
    "matches": lambda value: (
        lambda found, _looks: isinstance(found, str) and isinstance(value, str) and fnmatchcase(found, value)
    ),
}
OPS = (*TESTS, "exists", "missing")


@dataclass(frozen=True, slots=True)
class Predicate:
    """`path op value`. A path that leads to several values matches if any of them does."""

    path: Path
    op: str
    value: Any = None

    def holds(self, arguments: Any) -> bool:
        """Whether the arguments are so. A path that leads nowhere is `missing` and nothing else.

        UnjudgeableError if that would take too many looks, or a number is beyond comparing.
        """
        looks = Looks()
        found = self.path.find(arguments, looks)
        try:
            if self.op in ("exists", "missing"):
                return (next(found, _NOTHING) is not _NOTHING) is (self.op == "exists")
            test = TESTS[self.op](self.value)
            return any(test(item, looks) for item in found)
        except ValueError as error:
            raise UnjudgeableError("its arguments hold a number that can't be compared") from error


_NOTHING = object()
