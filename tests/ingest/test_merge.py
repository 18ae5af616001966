"""Two accounts of one span make one, in whatever order they come."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from runs.ingest.merge import SpanRow, merge_span

BASE = datetime(2026, 11, 22, 20, tzinfo=UTC)
ATTEMPT = {"at": "2026-11-22T20:00:00Z", "elapsed_ms": 1, "outcome": "degraded", "message": ""}


@st.composite
def accounts(draw: st.DrawFn) -> SpanRow:
    """What a sender may say of one span at some time: partly blank, running or ended."""
    ended = draw(st.booleans())
    result = draw(st.sampled_from([None, "", "shipped", "x[TRUNCATED 9 chars]y"])) if ended else None
    return {
        "seq": 0,
        "parent_id": draw(st.sampled_from(["", "a" * 16])),
        "name": "lookup",
        "started_at": BASE,
        "ended_at": BASE + timedelta(seconds=draw(st.integers(1, 3))) if ended else None,
        "outcome": draw(st.sampled_from(["ok", "error"])) if ended else draw(st.sampled_from(["running", "waiting"])),
        "attempts": [ATTEMPT] * draw(st.integers(0, 2)),
        "arguments": draw(st.sampled_from([None, "{}"])),
        "result": result,
        "retryable": draw(st.booleans()),
        "cut": {"result": {"chars": 11}} if result and "TRUNCATED" in result else {},
    }


def merged(*rows: SpanRow) -> dict[str, Any]:
    so_far = rows[0]
    for row in rows[1:]:
        so_far = {**so_far, **(merge_span(so_far, row) or {})}
    return so_far


@given(accounts(), accounts())
def test_the_order_of_two_does_not_matter(one: SpanRow, other: SpanRow):
    assert merged(one, other) == merged(other, one)


@given(accounts())
def test_the_same_again_adds_nothing(one: SpanRow):
    assert merge_span(one, dict(one)) is None


@given(accounts(), accounts())
def test_what_was_said_before_adds_nothing_later(one: SpanRow, other: SpanRow):
    both = merged(one, other)
    assert merged(both, other) == merged(both, one) == both


@given(accounts())
def test_a_start_an_update_and_an_end_make_the_same_row_in_any_order(final: SpanRow):
    start: SpanRow = {
        **final,
        "ended_at": None,
        "outcome": "running",
        "attempts": [],
        "result": None,
        "cut": {},
        "arguments": "{}",
    }
    update: SpanRow = {**start, "outcome": "waiting", "attempts": [ATTEMPT]}
    end: SpanRow = {
        **final,
        "ended_at": BASE + timedelta(seconds=9),
        "outcome": "ok",
        "attempts": [ATTEMPT, ATTEMPT],
        "result": "done",
    }
    rows = [merged(*order) for order in permutations([start, update, end])]
    assert all(row == rows[0] for row in rows)
    assert (rows[0]["outcome"], rows[0]["result"]) == ("ok", "done")
