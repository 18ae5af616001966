"""Every span is one row, whatever is missing, skewed, late or circular about it."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

from runs.models import Span
from runs.timeline.state import Stretch
from runs.timeline.waterfall import Piece, SpanRow, rows_of

START = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
STRETCH = Stretch(START, START + timedelta(seconds=100))


def span(name: str, second: float = 0, took: float | None = 1, parent: str = "", **fields: Any) -> Span:
    started = START + timedelta(seconds=second)
    ended = None if took is None else started + timedelta(seconds=took)
    defaults: dict[str, Any] = {"kind": "tool", "outcome": "ok", "attempts": []}
    return Span(span_id=name, name=name, parent_id=parent, started_at=started, ended_at=ended, **(defaults | fields))


def drawn(*spans: Span, received: Collection[str] = (), ended_at: datetime | None = None) -> list[SpanRow]:
    return rows_of(spans, STRETCH, ended_at=ended_at, received=received)


def bar(row: SpanRow) -> Piece:
    assert row.bar is not None
    return row.bar


def shape(rows: list[SpanRow]) -> list[tuple[str, int]]:
    return [(row.span.span_id if row.span else f"? {row.missing_parent}", row.depth) for row in rows]


def test_children_stand_under_their_parents_in_time():
    rows = drawn(span("late", 5, parent="root"), span("root", 1, 9), span("early", 2, parent="root"), span("first"))
    assert shape(rows) == [("first", 0), ("root", 0), ("early", 1), ("late", 1)]


def test_orphans_stand_under_a_row_that_says_that_their_parent_was_not_received():
    assert shape(drawn(span("a", 1, parent="gone"), span("b", 2, parent="gone"))) == [("? gone", 0), ("a", 1), ("b", 1)]


def test_a_parent_on_another_page_is_not_called_missing():
    assert shape(drawn(span("a", 1, parent="elsewhere"), received={"elsewhere"})) == [("a", 0)]


def test_spans_that_name_each_other_as_parents_are_all_there():
    rows = drawn(span("a", 1, parent="b"), span("b", 2, parent="a"), span("self", 3, parent="self"))
    assert sorted(name for name, _ in shape(rows)) == ["a", "b", "self"]


def test_a_child_that_begins_before_its_parent_is_marked():
    rows = drawn(span("parent", 10, 5), span("child", 8.8, parent="parent"))
    assert [row.skew for row in rows] == ["", "1.2 s"]


def test_what_ends_after_the_runs_end_is_marked_late():
    rows = drawn(span("in", 1), span("out", 99, 5), ended_at=STRETCH.end)
    assert [row.is_late for row in rows] == [False, True]


def test_bars_stand_at_their_share_of_the_axis_and_never_leave_it():
    inside, over = drawn(span("in", 25, 50), span("over", 99, 50))
    assert (bar(inside).x, bar(inside).width) == ("25.000%", "50.000%")
    assert (bar(over).x, bar(over).width) == ("99.000%", "1.000%")


def test_a_running_span_reaches_to_the_end_of_the_axis_also_with_a_length_so_far():
    (row,) = drawn(span("open", 40, None, outcome="running", elapsed_ms=10))
    assert (bar(row).width, row.took) == ("60.000%", "")


def test_retries_are_pieces_in_the_colour_of_their_outcome():
    tries = [(0, "degraded"), (2, "ok")]
    attempts = [{"at": (START + timedelta(seconds=s)).isoformat(), "elapsed_ms": 1000, "outcome": o} for s, o in tries]
    (row,) = drawn(span("retried", 0, 3, attempts=attempts))
    assert [(piece.x, piece.role) for piece in row.attempts] == [("0.000%", "degraded"), ("2.000%", "ok")]


def test_a_thousand_generations_do_not_exhaust_the_stack():
    spans = [span(f"s{depth}", depth / 100, 1, parent=f"s{depth - 1}" if depth else "") for depth in range(5000)]
    rows = drawn(*spans)
    assert (len(rows), rows[-1].depth, rows[-1].indent) == (5000, 4999, 12)
