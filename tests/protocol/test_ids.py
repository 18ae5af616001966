"""Ids sort by time, look as the standards say, and insane ones are told from sane ones."""

import re
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from agentconsole.protocol import ids

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def test_a_uuid7_has_its_version_its_variant_and_the_time(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ids, "_last", [0, 0])  # a test that travelled in time has left it ahead of the clock
    before_ms = time.time_ns() // 1_000_000
    made = ids.uuid7()
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert before_ms <= made.int >> 80 <= time.time_ns() // 1_000_000 + 1_000


def test_each_uuid7_is_greater_than_the_one_before_also_within_a_millisecond():
    made = [ids.uuid7() for _ in range(20_000)]
    assert made == sorted(set(made))


def test_uuid7_keeps_rising_when_the_clock_steps_back():
    first = ids.uuid7()
    with time_machine.travel("2001-01-01T00:00:00Z", tick=False):
        assert ids.uuid7() > first


def test_threads_never_get_the_same_uuid7():
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: ids.uuid7(), range(8_000)))
    assert len(set(made)) == 8_000


def test_request_ids_sort_by_time_and_are_sane():
    made = [ids.new_request_id() for _ in range(1_000)]
    assert made == sorted(made)
    assert all(re.fullmatch("req_[0-9a-hjkmnp-tv-z]{26}", one) and ids.is_request_id(one) for one in made)


def test_span_and_trace_ids_are_what_w3c_wants():
    assert ids.is_span_id(ids.new_span_id())
    assert ids.is_trace_id(ids.new_trace_id())


@pytest.mark.parametrize("text", ["", "-a", " a", "a b", "a\n", "ä", "a" * 129, "a\0", "<script>", "a;b"])
def test_an_insane_request_id_is_told(text: str):
    assert not ids.is_request_id(text)


@pytest.mark.parametrize("text", ["a", "A" * 128, "req_01", "550e8400-e29b-41d4-a716-446655440000", "a:b/c@d+e=f.g_h"])
def test_a_sane_request_id_is_told(text: str):
    assert ids.is_request_id(text)


@pytest.mark.parametrize("text", ["0" * 16, SPAN.upper(), SPAN + "0", SPAN[:-1], SPAN + "\n"])
def test_an_insane_span_id_is_told(text: str):
    assert not ids.is_span_id(text)


def test_a_traceparent_gives_its_trace_and_its_parent():
    assert ids.parse_traceparent(f" 00-{TRACE}-{SPAN}-01 ") == (TRACE, SPAN)


def test_a_later_version_of_traceparent_may_say_more():
    assert ids.parse_traceparent(f"01-{TRACE}-{SPAN}-01-more") == (TRACE, SPAN)


@pytest.mark.parametrize(
    "header",
    [
        "", "junk", f"ff-{TRACE}-{SPAN}-01", f"00-{'0' * 32}-{SPAN}-01", f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01", f"00-{TRACE}-{SPAN}", f"00-{TRACE}-{SPAN}-01-more",
    ],
)  # fmt: skip
def test_an_invalid_traceparent_gives_nothing(header: str):
    assert ids.parse_traceparent(header) is None


@given(st.text(max_size=200))
def test_no_header_makes_the_parser_break(header: str):
    ids.parse_traceparent(header)
    ids.is_request_id(header)
