"""Two accounts of one span, made one. Pure, and the same in whatever order they come.

The account that knows more wins (ended over running, the later end, more attempts); what it leaves blank is taken from
the other. Where both know as much, each column takes the greater text: no order of arrival can change the outcome.
"""

import json
from datetime import UTC, datetime
from typing import Any

SpanRow = dict[str, Any]
_NOT_MERGED = ("seq", "cut")
_EMPTY_IS_AN_ANSWER = ("arguments", "result")
_NEVER = datetime.min.replace(tzinfo=UTC)
_NO_OUTCOME = {"running": 0, "waiting": 1}


def merge_span(stored: SpanRow, arrived: SpanRow) -> SpanRow | None:
    """The row that says all that both say, or None where `arrived` adds nothing to `stored`."""
    fuller, other = (arrived, stored) if _knows(arrived) > _knows(stored) else (stored, arrived)
    is_tie = _knows(fuller) == _knows(other)
    merged = {
        column: _choose(column, fuller[column], other[column], is_tie) for column in fuller if column not in _NOT_MERGED
    }
    merged["cut"] = _cuts_of(merged, fuller, other)
    if all(stored[column] == value for column, value in merged.items()):
        return None
    return merged


def _choose(column: str, value: Any, alternative: Any, is_tie: bool) -> Any:
    if value == alternative or _is_blank(column, alternative):
        return value
    if _is_blank(column, value):
        return alternative
    return max(value, alternative, key=_text) if is_tie else value


def _is_blank(column: str, value: Any) -> bool:
    if column in _EMPTY_IS_AN_ANSWER:
        return value is None
    return value is None or value in ("", [], {})


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)


def _cuts_of(merged: SpanRow, fuller: SpanRow, other: SpanRow) -> SpanRow:
    """What is known of the cuts of the texts that were taken, each from the account that its text came from."""
    cuts: SpanRow = {}
    for row in (other, fuller):
        cuts |= {place: cut for place, cut in row["cut"].items() if row[_column(place)] == merged[_column(place)]}
    return cuts


def _column(place: str) -> str:
    return place.partition(".")[0]


def _knows(row: SpanRow) -> tuple[Any, ...]:
    return (row["ended_at"] or _NEVER, len(row["attempts"]), _NO_OUTCOME.get(row["outcome"], len(_NO_OUTCOME)))
