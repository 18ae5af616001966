"""Arguments as a table, from the canonical bytes alone: every value whole, long ones folded and to be opened."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from agentconsole.protocol.exact_json import dump_exact
from approvals.policy.path import spelled
from approvals.presentation.visible import Visible, visible

FOLD_CHARS = 400
FOLD_LINES = 12
ROWS_OPEN = 60


@dataclass(frozen=True, slots=True)
class Row:
    """One argument, or one member or element of one. `fold_id` is set where it has to be opened to be read.

    `path` is safe to show. `kind` is text, empty text, number, yes or no, nothing, empty list, empty object, list or object, or group:
    a heading over the `size` rows that follow. Else `size` counts characters or members.
    """

    path: str
    name: Visible
    depth: int
    kind: str
    value: Visible | None
    size: int
    sha256: str = ""
    fold_id: str = ""


def rows(arguments: dict[str, Any]) -> tuple[Row, ...]:
    """The table of an action's arguments, in the order of their canonical form."""
    return tuple(_fold_rest(list(_members(arguments, (), 0))))


def _fold_rest(found: list[Row]) -> Iterator[Row]:
    """What comes after the first ROWS_OPEN lines is folded piece by piece: nobody reads past it unasked."""
    for place, row in enumerate(found):
        if place >= ROWS_OPEN and place % ROWS_OPEN == 0:
            rest = found[place : place + ROWS_OPEN]
            yield Row(row.path, visible(""), 0, "group", None, len(rest), fold_id=_fold_id(f"rows {place}"))
        yield row


def _members(value: Any, steps: tuple[str | int, ...], depth: int) -> Iterator[Row]:
    items: Any = sorted(value.items(), key=_canonical_place) if isinstance(value, dict) else enumerate(value)
    for key, item in items:
        yield from _row(item, key, (*steps, key), depth)


def _row(value: Any, key: str | int, steps: tuple[str | int, ...], depth: int) -> Iterator[Row]:
    path, name = visible(spelled(steps)).safe, visible(str(key))
    if isinstance(value, dict | list) and value:
        kind = "object" if isinstance(value, dict) else "list"
        yield Row(path, name, depth, kind, None, len(value))
        yield from _members(value, steps, depth + 1)
        return
    kind, text = _leaf(value)
    is_long = len(text) > FOLD_CHARS or text.count("\n") >= FOLD_LINES
    yield Row(
        path=path,
        name=name,
        depth=depth,
        kind=kind,
        value=visible(text),
        size=len(text),
        sha256=hashlib.sha256(text.encode()).hexdigest() if is_long else "",
        fold_id=_fold_id(spelled(steps)) if is_long else "",
    )


def _leaf(value: Any) -> tuple[str, str]:
    """The kind of a value without members, and its text."""
    if isinstance(value, str):
        return "text" if value else "empty text", value
    if isinstance(value, bool):
        return "yes or no", dump_exact(value)
    if isinstance(value, dict | list):
        return "empty object" if isinstance(value, dict) else "empty list", dump_exact(value)
    return "nothing" if value is None else "number", dump_exact(value)


def _canonical_place(member: tuple[str, Any]) -> bytes:
    """RFC 8785 orders keys by their UTF-16 code units."""
    return member[0].encode("utf-16-be")


def _fold_id(path: str) -> str:
    """Long enough that nobody finds two names for values that are opened as one."""
    return hashlib.sha256(path.encode()).hexdigest()[:32]
