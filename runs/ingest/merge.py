"""Two accounts of one span, made one. Pure, and the same in whatever order they come.

The account that knows more wins (ended over running, the later end, more attempts); what it leaves blank is taken from
the other.
"""

import json
from datetime import UTC, datetime
from typing import Any

SpanRow = dict[str, Any]
_KEPT = ("seq",)
_EMPTY_IS_AN_ANSWER = ("arguments", "result")
_NEVER = datetime.min.replace(tzinfo=UTC)
_NO_OUTCOME = {"running": 0, "waiting": 1}


def merge_span(stored: SpanRow, arrived: SpanRow) -> SpanRow | None:
    """The row that says all that both say, or None where `arrived` adds nothing to `stored`."""
    fuller, other = (arrived, stored) if _knows(arrived) > _knows(stored) else (stored, arrived)
    merged = {column: _fill(column, value, other[column]) for column, value in fuller.items() if column not in _KEPT}
    merged["cut"] = _cuts_of(merged, fuller, other)
    if all(stored[column] == value for column, value in merged.items()):
        return None
    return merged


def _fill(column: str, value: Any, fallback: Any) -> Any:
    blanks = (None,) if column in _EMPTY_IS_AN_ANSWER else (None, "", [], {})
    return fallback if value in blanks and not isinstance(value, bool) else value


def _cuts_of(merged: SpanRow, fuller: SpanRow, other: SpanRow) -> SpanRow:
    """What is known of the cuts of the texts that were taken, each from the account that its text came from."""
    cuts: SpanRow = {}
    for row in (other, fuller):
        cuts |= {place: cut for place, cut in row["cut"].items() if row[_column(place)] == merged[_column(place)]}
    return cuts


def _column(place: str) -> str:
    return place.partition(".")[0]


def _knows(row: SpanRow) -> tuple[Any, ...]:
    order = (
        row["ended_at"] is not None,
        row["ended_at"] or _NEVER,
        len(row["attempts"]),
        _NO_OUTCOME.get(row["outcome"], 2),
    )
    return (*order, _Tie(row))


class _Tie:
    """Decides between accounts that know as much, by their text; worked out only when it comes to that."""

    def __init__(self, row: SpanRow) -> None:
        self.row = row

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Tie) and self._text() == other._text()

    def __lt__(self, other: "_Tie") -> bool:
        return self._text() < other._text()

    __hash__ = None  # type: ignore[assignment]

    def _text(self) -> str:
        return json.dumps({k: v for k, v in self.row.items() if k not in _KEPT}, sort_keys=True, default=str)
