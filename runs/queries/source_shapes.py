"""The parts of a run's and a span's shapes that say where they come from, where no agent told of them itself (OTLP)."""

from typing_extensions import TypedDict

from runs.models import Run, Span
from runs.wording import NOTES


class SourceShape(TypedDict):
    """Where a run comes from that is known from its spans alone: its outermost agent, the instrumentation that told of it, and
    what a reader must know, in sentences."""

    name: str
    by: str
    notes: list[str]


class MappedShape(TypedDict):
    """How a span that came by OTLP was placed: what it is in its source's telling, and which rule gave each field. `part_of` is
    the span that stands for the whole call."""

    role: str
    call_id: str
    part_of: str
    rules: dict[str, str]
    taken_from: dict[str, str]


def source_shape(run: Run) -> SourceShape | None:
    """Where a run comes from that is known from its spans alone; None for one that its agent told of."""
    if run.source is None:
        return None
    notes = run.source.get("notes", []) if run.is_ended else []
    return {
        "name": run.source.get("name", ""),
        "by": run.source.get("by", ""),
        "notes": [NOTES[note] for note in notes],
    }


def mapped_shape(span: Span) -> MappedShape | None:
    """How a span that came by OTLP was placed; None for one that its agent told of."""
    if span.mapping is None:
        return None
    placed = span.mapping.get("placed", {})
    return {
        "role": span.mapping["role"],
        "call_id": placed.get("call_id") or span.mapping.get("call_id", ""),
        "part_of": placed.get("one_with", ""),
        "rules": {**span.mapping["rules"], **placed.get("rules", {})},
        "taken_from": placed.get("taken", {}),
    }
