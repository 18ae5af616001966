"""What a span is shown as: what its source told of it, what others add to it, and what its neighbours make of it. Pure.

A row is told or shown. Told: the columns as its source has them, whatever came before or after. Shown: what is stored, where
`mapping["placed"]` keeps what placing changed, with the told values, so that placing always starts from what was told.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from runs.ingest.clean import Cleaner
from runs.ingest.rows import Row
from traces.mapping.account import Placing, Role, SpanFacts
from traces.mapping.outcomes import merged, with_budget
from traces.services.repeats import Same

_TEXTS = ("arguments", "result", "message")
_ROLES = {"subagent": Role.AGENT, "tool": Role.TOOL, "model": Role.MODEL, "retrieval": Role.RETRIEVAL}


class Addition(NamedTuple):
    """What a record or another span tells of a tool call, by the call's id or by the span's. The least is believed first."""

    order: tuple[str, str]
    call_id: str
    span_id: str
    told_by: str
    columns: Mapping[str, Any]
    cut: Mapping[str, Any]


Additions = Mapping[str, Sequence[Addition]]


def told_of(shown: Row) -> Row:
    """The told row of a stored one, whose repeats were put back."""
    mapping = shown["mapping"]
    placed = mapping.get("placed")
    if placed is None:
        return shown
    bare = {name: value for name, value in mapping.items() if name != "placed"}
    return {**shown, **placed.get("told", {}), "mapping": bare}


def facts_in(row: Row, trace_id: str) -> SpanFacts:
    """What relating needs of a told row, or of a native one, which is of the trace `trace_id` where it names none. A light row has
    `has_…` in the place of its texts."""
    mapping = row["mapping"]
    if mapping is None:
        mapping = {"role": _ROLES.get(row["kind"], Role.STEP).value}
    return SpanFacts(
        span_id=row["span_id"],
        parent_id=row["parent_id"],
        role=Role(mapping["role"]),
        name=row["name"],
        agent=row["agent"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        outcome=row["outcome"],
        call_id=mapping.get("call_id", ""),
        has_arguments=has(row, "arguments") and not mapping.get("bare", False),
        has_result=has(row, "result"),
        has_usage=mapping.get("usage", False),
        calls=tuple((call["id"], call["tool"], call["arguments"]) for call in mapping.get("calls", ())),
        error=mapping.get("error", ""),
        trace=row["trace_id"] or trace_id,
    )


def has(row: Row, column: str) -> bool:
    """Whether a told row has arguments or a result."""
    return row[column] is not None if column in row else bool(row[f"has_{column}"])


def addition_of(event: Row) -> Addition | None:
    """What a record adds to a tool call, None if it is about none."""
    adds = event["adds"]
    if adds is None:
        return None
    order = (event["at"].isoformat(), str(event["id"]))
    span_id = "" if adds["call_id"] else event["span_id"]
    return Addition(order, adds["call_id"], span_id, f"event {event['id']}", adds["columns"], event["cut"])


def answers_in(told: Mapping[str, Row]) -> list[Addition]:
    """The results of tool calls that other spans carry."""
    return [
        Addition(
            (row["started_at"].isoformat(), span_id),
            call_id,
            "",
            span_id,
            {"result": text},
            {"result": row["cut"][f"mapping.answers.{call_id}"]}
            if f"mapping.answers.{call_id}" in row.get("cut", ())
            else {},
        )
        for span_id, row in told.items()
        if row["mapping"]
        for call_id, text in row["mapping"].get("answers", {}).items()
    ]


def by_span(additions: Iterable[Addition], call_ids: Mapping[str, str]) -> Additions:
    """The additions to each span, first first. `call_ids` are those of the tool calls, by span."""
    spans: dict[str, list[str]] = defaultdict(list)
    for span_id, call_id in call_ids.items():
        if call_id:
            spans[call_id].append(span_id)
    found: dict[str, list[Addition]] = defaultdict(list)
    for addition in sorted(additions, key=lambda addition: addition[:3]):
        for span_id in spans.get(addition.call_id, ()) if addition.call_id else (addition.span_id,):
            found[span_id].append(addition)
    return found


def completed(told: Row, additions: Iterable[Addition]) -> Row:
    """The told row with what it leaves blank filled by others: the first of them that tells a column gives it. A native row
    stays as it is."""
    if told["mapping"] is None:
        return told
    filled: Row = {}
    cut: dict[str, Any] = {}
    for addition in additions:
        for column, value in addition.columns.items():
            if column == "outcome":
                filled["outcome"] = merged(str(filled.get("outcome") or told["outcome"]), str(value))
            elif column in _TEXTS and column not in filled and value not in (None, "") and not _tells(told, column):
                filled[column] = value
                cut |= {column: addition.cut[column]} if column in addition.cut else {}
    if not filled:
        return told
    return {**told, **filled, "cut": {**told.get("cut", {}), **cut}}


def _tells(told: Row, column: str) -> bool:
    if column == "message":
        return bool(told.get("message"))
    return has(told, column) and not (column == "arguments" and told["mapping"].get("bare"))


def signature_of(placing: Placing, additions: Sequence[Addition], same: Sequence[Same]) -> dict[str, Any]:
    """What of a placing is kept on the row: where it is the same, the row is, unless one of those it takes from changed."""
    kept = {
        "rules": dict(placing.rules),
        "one_with": placing.one_with,
        "call_id": placing.call_id,
        "arguments": _digest(placing.arguments),
        "taken": dict(placing.taken_from),
        "added": [addition.told_by for addition in additions],
        "error_from": placing.error_from,
        "top": placing.is_top,
        "same": [list(one) for one in same],
    }
    return {name: value for name, value in kept.items() if value}


def _digest(arguments: Any) -> str:
    if arguments is None:
        return ""
    return hashlib.sha256(json.dumps(arguments, sort_keys=True, default=str).encode()).hexdigest()[:16]


def shown_outcome(placing: Placing, row: Row) -> str:
    """The outcome that a placing and the row's budget make."""
    if placing.kind != "tool":
        return placing.outcome
    outcome: str = with_budget(placing.outcome, row["elapsed_ms"], row["soft_ms"])
    return outcome


def shown_row(told: Row, whole: Row, placing: Placing, givers: Mapping[str, Row], signature: dict[str, Any]) -> Row:
    """The row as stored: `whole` is the told row with its additions, `givers` are the told rows that the placing takes from."""
    row = {**whole, "kind": placing.kind, "outcome": shown_outcome(placing, whole), "cut": dict(whole["cut"])}
    if placing.arguments is not None:
        cleaner = Cleaner()
        row["arguments"] = cleaner.payload(placing.arguments, "arguments")
        row["cut"] |= cleaner.cut
    for column, giver in placing.taken_from.items():
        if column in _TEXTS:
            row[column] = givers[giver][column]
            row["cut"] |= {column: givers[giver]["cut"][column]} if column in givers[giver]["cut"] else {}
    for place, *_keeper in signature.get("same", ()):
        if len(place) == 1:
            row["cut"].pop(place[0], None)  # a reference is whole
    changed = {
        column: value for column, value in told.items() if column not in ("mapping", "seq") and row[column] != value
    }
    placed = {**signature, "told": changed} if changed else signature
    row["mapping"] = {**told["mapping"], "placed": placed} if placed else told["mapping"]
    return row
