"""The spans of one run during one transaction: what is stored of them, what arrived, and how all are shown together."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from runs.ingest.errors import ConsoleSpanError
from runs.ingest.merge import merge_span
from runs.ingest.rows import Row
from traces.mapping.account import Placing, Role
from traces.mapping.relating import relate
from traces.services.repeats import (
    RESULT,
    STACK_TRACE,
    Copy,
    Same,
    marked,
    rank_of,
    repeats_of,
    retold,
    unmarked,
    without_repeats,
)
from traces.services.shown import (
    Addition,
    Additions,
    answers_in,
    by_span,
    completed,
    facts_in,
    has,
    shown_outcome,
    shown_row,
    signature_of,
    told_of,
)

ReadWhole = Callable[[Iterable[str]], Mapping[str, Row]]
Placings = Mapping[str, Placing]


class Spans:
    """`stored` are light rows as shown; `told` are told rows: whole where they are in `_whole`, else light.

    `are_all`: every stored span of the run is known.
    """

    def __init__(self, read_whole: ReadWhole, *, are_all: bool = True) -> None:
        self._read_whole = read_whole
        self.are_all = are_all
        self.stored: dict[str, Row] = {}
        self.told: dict[str, Row] = {}
        self.changed: set[str] = set()
        self.recorded: list[Addition] = []
        self.tops: list[Row] = []
        self._whole: set[str] = set()

    def know(self, row: Row) -> None:
        """Take a stored light row."""
        self.stored[row["span_id"]] = row
        if row["approval_id"] is None:
            self.told[row["span_id"]] = row if row["mapping"] is None else told_of(row)

    def expect(self, span_ids: Iterable[str]) -> None:
        """Read these whole, those that are stored and came by OTLP: they arrive again, or are needed."""
        wanted = {span_id for span_id in span_ids if span_id in self.told and self.told[span_id]["mapping"] is not None}
        if wanted := wanted - self._whole:
            self.told |= {span_id: told_of(row) for span_id, row in self._read_whole(wanted).items()}
            self._whole |= wanted

    def add(self, row: Row) -> bool:
        """Take an arrived span. False if it says nothing new. ConsoleSpanError."""
        span_id = row["span_id"]
        stored = self.stored.get(span_id)
        if stored is not None and stored["approval_id"] is not None:
            raise ConsoleSpanError("This span is the console's record of an approval. Make span ids at random.")
        if stored is not None and stored["mapping"] is None:
            return False  # its agent told what it is
        known = self.told.get(span_id)
        if known is not None:
            merged = merge_span(unmarked(known), unmarked(retold(row, known)))
            if merged is None:
                return False
            row = marked(merged)
        self.told[span_id] = row
        self.changed.add(span_id)
        self._whole.add(span_id)
        return True

    def placed(self) -> Iterator[tuple[Row | None, Row]]:
        """The rows that are to be written, each with the light row in whose place it comes."""
        placings, additions = self._placings()
        self.tops = [self.told[span_id] for span_id, placing in placings.items() if placing.is_top]
        same = self._repeats(placings, additions)
        mine = [span_id for span_id, row in self.told.items() if row["mapping"] is not None]
        signatures = {
            span_id: signature_of(placings[span_id], additions.get(span_id, ()), same.get(span_id, ()))
            for span_id in mine
        }
        due = [span_id for span_id in mine if self._is_due(span_id, placings[span_id], signatures[span_id])]
        self.expect({*due, *(giver for span_id in due for giver in _givers(signatures[span_id]))})
        if additions:  # their texts may have been kept elsewhere
            additions = self._additions({span_id: _call_id(row, placings) for span_id, row in self.told.items()})
        for span_id in due:
            told = self.told[span_id]
            whole = completed(told, additions.get(span_id, ()))
            row = shown_row(told, whole, placings[span_id], self.told, signatures[span_id])
            yield self.stored.get(span_id), without_repeats(row, same.get(span_id, ()))

    def _placings(self) -> tuple[Placings, Additions]:
        trace_id = next((row["trace_id"] for row in self.told.values() if row["trace_id"]), "")
        placings: Placings = relate([facts_in(row, trace_id) for row in self.told.values()])
        additions = self._additions({span_id: _call_id(row, placings) for span_id, row in self.told.items()})
        if additions:
            rows = (completed(row, additions.get(span_id, ())) for span_id, row in self.told.items())
            placings = relate([facts_in(row, trace_id) for row in rows])
        return placings, additions

    def _additions(self, call_ids: Mapping[str, str]) -> Additions:
        found = [*self.recorded, *answers_in(self.told)]
        return by_span(found, call_ids) if found else {}

    def _is_due(self, span_id: str, placing: Placing, signature: Mapping[str, Any]) -> bool:
        if span_id in self.changed:
            return True
        if not self.are_all and not self._is_near(span_id):
            return False
        stored = self.stored[span_id]
        was = {name: value for name, value in stored["mapping"].get("placed", {}).items() if name != "told"}
        if was != signature or stored["kind"] != placing.kind:
            return True
        if stored["outcome"] != shown_outcome(placing, stored):
            return True
        return not self.changed.isdisjoint(_givers(signature))

    def _is_near(self, span_id: str) -> bool:
        """Whether it is right above or below what arrived."""
        below = (self.told[changed]["parent_id"] == span_id for changed in self.changed)
        return self.told[span_id]["parent_id"] in self.changed or any(below)

    def _repeats(self, placings: Placings, additions: Additions) -> Mapping[str, Sequence[Same]]:
        copies: dict[str, list[Copy]] = defaultdict(list)
        for span_id, row in self.told.items():
            placing, mapping = placings[span_id], row["mapping"] or {}
            for digest, places in mapping.get("long", {}).items():
                for place in places:
                    if not (placing.error_from and place == STACK_TRACE):
                        copies[digest].append(Copy(rank_of(place, placing.kind), row["started_at"], span_id, place))
            if digest := self._taken_result(span_id, placing, additions.get(span_id, ())):
                copies[digest].append(Copy(rank_of(RESULT, placing.kind), row["started_at"], span_id, RESULT))
        found = repeats_of({digest: each for digest, each in copies.items() if len(each) > 1})
        for span_id, placing in placings.items():
            if placing.error_from and (self.told[span_id]["mapping"] or {}).get("stack"):
                found.setdefault(span_id, []).append(Same(STACK_TRACE, placing.error_from, STACK_TRACE))
        return found

    def _taken_result(self, span_id: str, placing: Placing, additions: Sequence[Addition]) -> str:
        """The digest of a long result that a span takes from another."""
        places = [(placing.taken_from.get("result", ""), RESULT)]
        if not has(self.told[span_id], "result"):
            places += [(added.told_by, ["mapping", "answers", added.call_id]) for added in additions][:1]
        for giver, place in places:
            mapping = self.told[giver]["mapping"] if giver in self.told else None
            for digest, found in (mapping or {}).get("long", {}).items():
                if place in found:
                    return str(digest)
        return ""


def _call_id(row: Row, placings: Placings) -> str:
    """The call that a tool's span is, as told or as its neighbours tell."""
    mapping = row["mapping"]
    if mapping is None or mapping["role"] != Role.TOOL:
        return ""
    return str(mapping.get("call_id") or placings[row["span_id"]].call_id)


def _givers(signature: Mapping[str, Any]) -> Iterator[str]:
    yield from signature.get("taken", {}).values()
    yield from signature.get("added", ())
