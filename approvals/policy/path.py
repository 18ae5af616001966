"""Paths into arguments: a small part of JSONPath. `$`, `.name`, `['any name']`, `[3]`, `[*]`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_STEP = re.compile(
    r"\.(?P<name>[A-Za-z_][A-Za-z0-9_-]*)|\['(?P<quoted>(?:[^'\\]|\\.)*)'\]|\[(?P<index>[0-9]{1,6})\]|\[(?P<all>\*)\]"
)
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
STEPS_MAX = 32
PATH_MAX = 500
# Hostile arguments may have any number of elements. A comparison that would need more looks is never taken as "doesn't match":
# whoever pads a list would slip past a rule that denies.
LOOKS_MAX = 10_000

Step = str | int | None


class PathError(ValueError):
    """Text that is no path of this language."""


class UnjudgeableError(Exception):
    """What a comparison says of these arguments can't be told. The message ends the sentence "it can't be judged: …"."""


class Looks:
    """How many values one comparison may still look at."""

    def __init__(self) -> None:
        self._left = LOOKS_MAX

    def take(self) -> None:
        """Look at one more. UnjudgeableError if there were too many."""
        if not self._left:
            raise UnjudgeableError(f"its arguments hold more than {LOOKS_MAX:,} values to compare")
        self._left -= 1


@dataclass(frozen=True, slots=True)
class Path:
    """A parsed path. A step is a member's name, an element's index, or None for every element."""

    text: str
    steps: tuple[Step, ...]

    def __str__(self) -> str:
        return self.text

    def find(self, value: Any, looks: Looks) -> Iterator[Any]:
        """Every value that the path leads to, in order, as they are asked for. UnjudgeableError when `looks` are used up."""
        yield from _walk(value, self.steps, looks)


def _walk(value: Any, steps: tuple[Step, ...], looks: Looks) -> Iterator[Any]:
    looks.take()
    if not steps:
        yield value
        return
    for item in _step(value, steps[0]):
        yield from _walk(item, steps[1:], looks)


def _step(value: Any, step: Step) -> Iterator[Any]:
    if isinstance(step, str):
        if isinstance(value, dict) and step in value:
            yield value[step]
    elif isinstance(value, list):
        if step is None:
            yield from value
        elif step < len(value):
            yield value[step]


def parse_path(text: str) -> Path:
    """The path that text spells. PathError says what is wrong."""
    if not text.startswith("$") or len(text) > PATH_MAX:
        raise PathError("a path starts with $ and has at most 500 characters")
    steps: list[Step] = []
    place = 1
    while place < len(text):
        found = _STEP.match(text, place)
        if found is None:
            raise PathError(f"`{text[place : place + 20]}` is no step: use .name, ['any name'], [3] or [*]")
        steps.append(_step_of(found))
        place = found.end()
    if len(steps) > STEPS_MAX:
        raise PathError(f"a path has at most {STEPS_MAX} steps")
    return Path(text, tuple(steps))


def _step_of(found: re.Match[str]) -> Step:
    if found["name"] is not None:
        return found["name"]
    if found["quoted"] is not None:
        return re.sub(r"\\(.)", r"\1", found["quoted"])
    return None if found["all"] else int(found["index"])


def spelled(steps: tuple[str | int, ...]) -> str:
    """The text of a path."""
    return "$" + "".join(_spell(step) for step in steps)


def _spell(step: str | int) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    if _PLAIN.fullmatch(step):
        return f".{step}"
    quoted = step.replace("\\", "\\\\").replace("'", "\\'")
    return f"['{quoted}']"


def without(arguments: dict[str, Any], excluded: tuple[str, ...]) -> dict[str, Any]:
    """The arguments without what the paths lead to: the projection that has to stay the same in `compat`.

    Members of objects go; elements of lists become null, so that no other element takes their place.
    """
    kept: Any = arguments
    for text in excluded:
        kept = _cut(kept, parse_path(text).steps)
    return kept if isinstance(kept, dict) else {}


def _cut(value: Any, steps: tuple[Step, ...]) -> Any:
    if not steps:
        return None
    step, rest = steps[0], steps[1:]
    if isinstance(value, dict) and isinstance(step, str) and step in value:
        if not rest:
            return {name: item for name, item in value.items() if name != step}
        return {**value, step: _cut(value[step], rest)}
    if isinstance(value, list) and not isinstance(step, str):
        return [_cut(item, rest) if step in (None, place) else item for place, item in enumerate(value)]
    return value
