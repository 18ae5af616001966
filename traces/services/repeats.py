"""Long texts that a source repeats are kept once: where they are the result of a tool call, else where they came first.

Frameworks repeat one long result up to five times across attributes, and a stack trace on every ancestor. A place is the path to a
text in a row: `["result"]`, `["attributes", "gen_ai.output.messages", 0, "content"]`. Pure.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from runs.ingest.rows import Row
from traces.mapping.values import parsed

_DEEP = 6
_COLUMNS = ("result", "arguments")

Place = list[Any]
LONG = 500
# By the kind of its span, where a result is kept rather.
KEEPERS = {"tool": 0, "retrieval": 1, "subagent": 2, "model": 3, "step": 4}
RESULT: Place = ["result"]
STACK_TRACE: Place = ["attributes", "exception.stacktrace"]


class Copy(NamedTuple):
    """One place of a long text. The least of all is the one that keeps it."""

    rank: int
    started_at: datetime
    span_id: str
    place: Place


class Same(NamedTuple):
    """A place whose text is kept elsewhere."""

    place: Place
    kept_by: str
    kept_at: Place


def unpacked(value: Any, deep: int = 0) -> Any:
    """A value whose long texts that are JSON are what they say, so that the texts inside can be told apart."""
    if isinstance(value, str):
        if len(value) < LONG or deep == _DEEP:
            return value
        found = parsed(value)
        return found if isinstance(found, str) else unpacked(found, deep + 1)
    if isinstance(value, Mapping):
        return {key: unpacked(inner, deep) for key, inner in value.items()}
    if isinstance(value, list):
        return [unpacked(inner, deep) for inner in value]
    return value


def marked(row: Row) -> Row:
    """A told row whose `mapping` says what in it is long: `long` its texts by their digests, `stack` that it has a stack trace."""
    found = {"long": _long_places(row), "stack": bool(read_place(row, STACK_TRACE))}
    return {**row, "mapping": row["mapping"] | {name: value for name, value in found.items() if value}}


def unmarked(row: Row) -> Row:
    """The row without these marks, to be merged with another account of its span."""
    return {**row, "mapping": {name: value for name, value in row["mapping"].items() if name not in ("long", "stack")}}


def _long_places(row: Row) -> dict[str, list[Place]]:
    found: dict[str, list[Place]] = {}
    for place, text in _texts(row):
        digest = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
        found.setdefault(digest, []).append(place)
    return found


def _texts(row: Row) -> Iterator[tuple[Place, str]]:
    for column in _COLUMNS:
        if row[column] and len(row[column]) >= LONG:
            yield [column], row[column]
    for call_id, text in row["mapping"].get("answers", {}).items():
        if text and len(text) >= LONG:
            yield ["mapping", "answers", call_id], text
    yield from _inside(row["attributes"], ["attributes"])


def _inside(value: Any, place: Place) -> Iterator[tuple[Place, str]]:
    if isinstance(value, str):
        if len(value) >= LONG:
            yield place, value
    elif isinstance(value, dict):
        for key in value:
            yield from _inside(value[key], [*place, key])
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _inside(inner, [*place, index])


def rank_of(place: Place, kind: str) -> int:
    """Where a text is kept rather: as a result, as arguments, as an attribute."""
    if place == RESULT:
        return KEEPERS[kind]
    return len(KEEPERS) + {"arguments": 0, "attributes": 1}.get(place[0], 2)


def repeats_of(copies: Mapping[str, Iterable[Copy]]) -> dict[str, list[Same]]:
    """What each span keeps elsewhere, by its id; `copies` are the places of each digest."""
    found: dict[str, list[Same]] = defaultdict(list)
    for each in copies.values():
        keeper, *others = sorted(each)
        for copy in others:
            if copy.rank != KEEPERS["tool"]:  # two calls with one result are two results
                found[copy.span_id].append(Same(copy.place, keeper.span_id, keeper.place))
    return {span_id: sorted(same, key=str) for span_id, same in found.items()}


def without_repeats(row: Row, same: Iterable[Same]) -> Row:
    """The row with a reference in each place whose text is kept elsewhere: `{"same_as": "<span>.<place>", "chars"}`."""
    for place, kept_by, kept_at in same:
        text = read_place(row, place)
        if text is None:
            continue
        chars = text["chars"] if isinstance(text, dict) else len(text)
        reference = {"same_as": ".".join([kept_by, *map(str, kept_at)]), "chars": chars}
        row = written(row, place, reference if place[0] == "attributes" else json.dumps(reference))
    return row


def with_repeats(row: Row, rows: Mapping[str, Row]) -> Row:
    """A stored row with each text in its place again, from the stored `rows` that keep them."""
    for place, kept_by, kept_at in kept_elsewhere(row):
        if place == STACK_TRACE and (row["mapping"]["placed"]).get("error_from"):
            continue  # another one: its own was not kept
        if (
            read_place(row, place) is not None
            and kept_by in rows
            and isinstance(text := read_place(rows[kept_by], kept_at), str)
        ):
            row = written(row, place, text)
    return row


def retold(row: Row, known: Row) -> Row:
    """A span that came again, as it is known: the stack trace of what failed first is another one, and can't be put back."""
    was = read_place(known, STACK_TRACE)
    return written(row, STACK_TRACE, was) if isinstance(was, dict) and read_place(row, STACK_TRACE) else row


def kept_elsewhere(row: Row) -> list[Same]:
    """What a stored row says that it keeps elsewhere."""
    placed = (row["mapping"] or {}).get("placed", {})
    return [Same(*same) for same in placed.get("same", ())]


def read_place(value: Any, place: Place) -> Any:
    """What stands at a place, None if there is no such place."""
    for step in place:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def written(value: Any, place: Place, leaf: Any) -> Any:
    """A copy of a row or of a part of it with `leaf` at a place that it has. What it leads through is copied, nothing else."""
    if not place:
        return leaf
    step, *rest = place
    copied = value.copy()
    copied[step] = written(value[step], rest, leaf)
    return copied
