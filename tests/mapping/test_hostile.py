"""Whatever a sender writes, a span is mapped: bounded work, nothing raised, nothing that a store can't keep."""

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.mapping.making import fact, record, span
from traces.mapping import map_log, map_span, relate
from traces.mapping.account import Role, SpanFacts
from traces.mapping.conventions import FIELDS, INDEXED, MESSAGE_EVENTS, ROLES
from traces.mapping.values import DEPTH_MAX, JSON_MAX, from_repr, parsed

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
)
TEXTS = VALUES.map(lambda value: json.dumps(value, default=str)) | VALUES.map(repr)
KEYS = st.sampled_from(
    sorted({rule.attribute for rules in FIELDS.values() for rule in rules} | {rule.attribute for rule in ROLES})
    + [f"{prefix}0.message.tool_calls.0.name" for prefix in INDEXED]
    + ["metadata", "logfire.span_type", "logfire.pending_parent_id"]
)
WORDS = st.sampled_from([word for rule in ROLES for words in rule.roles.values() for word in words.split()])
ATTRIBUTES = st.dictionaries(KEYS | st.text(max_size=10), VALUES | TEXTS | WORDS, max_size=12)
SCOPES = st.sampled_from(
    ["", "com.anthropic.claude_code.tracing", "gcp.vertex.agent", "pydantic-ai", "com.anthropic.claude_code.events"]
)
EVENTS = st.lists(
    st.tuples(st.sampled_from(["exception", "tool.output", *MESSAGE_EVENTS]), ATTRIBUTES), max_size=3
).map(tuple)


@settings(max_examples=100, deadline=None)
@given(ATTRIBUTES, SCOPES, EVENTS, st.text(max_size=40), st.integers(0, 3))
def test_no_attribute_breaks_a_span(
    attributes: dict[str, Any], scope: str, events: Any, message: str, code: int
) -> None:
    account = map_span(span("x", attributes, scope=scope, events=events, status=(code, message), parent="a" * 16))
    assert account.outcome
    assert account.name
    assert isinstance(account.agent + account.phase + account.message + account.call_id + account.agent_run_id, str)


@settings(max_examples=60, deadline=None)
@given(ATTRIBUTES, SCOPES, VALUES | TEXTS, st.text(max_size=30))
def test_no_record_breaks_the_log(attributes: dict[str, Any], scope: str, body: Any, event: str) -> None:
    account = map_log(record(attributes, scope=scope, body=body, event_name=event))
    assert account.token
    assert account.level in ("debug", "info", "warning", "error", "critical")


CLEAN = st.booleans() | st.integers(-(2**60), 2**60) | st.text(st.characters(exclude_characters="\0"), max_size=9)
PAYLOADS = st.lists(st.lists(CLEAN, max_size=3) | st.dictionaries(st.text(max_size=3), CLEAN, max_size=3), max_size=4)


@given(PAYLOADS)
def test_json_in_a_text_is_read_and_what_is_none_stays_as_it_is(value: Any) -> None:
    text = json.dumps(value)
    assert "\\u0000" in text or parsed(text) == value
    assert parsed(text + "x") == text + "x"


@pytest.mark.parametrize(
    "text",
    [
        "[" * 50_000 + "]" * 50_000, '{"a":' * 30 + "1" + "}" * 30, '"\\ud800"', '["\\u0000"]', "[NaN]", "[1e999",
        "[" + "9" * 5_000 + "]", '"' * 100_001, "{'a': '\\q'}", "(" * 3_000, "['\\ud800']", "{**x}", "[" * 60 + "]" * 60,
        "{1: {2: {3: __import__('os')}}}", "[1" + ",1" * 600_000 + "]",
    ],
)  # fmt: skip
def test_what_can_t_be_read_or_stored_stays_text(text: str) -> None:
    assert from_repr(text) == text


def test_python_s_repr_is_read_as_json_has_words_for_it() -> None:
    assert from_repr("{'a': (1, None), 2: {'x'}, 'b': b'y'}") == {"a": [1, None], "2": ["x"], "b": "b'y'"}
    assert from_repr("it's") == "it's"


def test_what_is_nested_too_deep_for_a_store_becomes_text_where_it_is() -> None:
    deep: Any = "leaf"
    for _ in range(DEPTH_MAX * 3):
        deep = {"a": deep}
    found, depth = parsed(deep), 0
    while isinstance(found, dict):
        found, depth = found["a"], depth + 1
    assert depth == DEPTH_MAX
    assert "leaf" in found


@pytest.mark.parametrize(
    "attributes",
    [
        {"gen_ai.operation.name": "chat", "gen_ai.output.messages": "[" + '{"role":"tool","content":"x"},' * 30_000 + "{}]"},
        {"openinference.span.kind": "LLM"} | {f"llm.output_messages.{n}.message.content": "x" for n in range(50_000)},
        {"openinference.span.kind": "TOOL", "output.value": '{"output": ' * 18 + '"x"' + "}" * 18},
        {"openinference.span.kind": "TOOL", "output.value": "x" * (JSON_MAX * 5), "input.value": "[" * JSON_MAX},
        {f"key.{n}": n for n in range(100_000)},
        {"metadata": "{" + ",".join(f'"k{n}": {n}' for n in range(50_000)) + "}"},
    ],
    ids=["messages", "indexed", "wrapped", "long", "many", "metadata"],
)  # fmt: skip
def test_huge_spans_cost_no_more_than_their_size(attributes: dict[str, Any]) -> None:
    began = time.process_time()
    map_span(span("x", attributes, status=(2, "E" * 1_000_000)))
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    "spans",
    [
        [fact(f"s{n}", f"s{n - 1}", Role.TOOL, name="x") for n in range(5_000)],
        [fact(f"s{n}", f"s{n - 1}", Role.WORKFLOW, name="x") for n in range(2_000)]
        + [fact(f"a{n}", "s1999", Role.AGENT, name="x") for n in range(3_000)],
        [fact(f"s{n}", role=Role.TOOL if n % 2 else Role.TOOL_SIDE, name="x") for n in range(5_000)],
        [fact(f"m{n}", role=Role.MODEL, calls=(("", "x", {}),) * 50) for n in range(200)]
        + [fact(f"s{n}", role=Role.TOOL, name="x", start=1) for n in range(5_000)],
        [fact(f"s{n}", f"s{(n + 1) % 5_000}", Role.MODEL) for n in range(5_000)],
    ],
    ids=["deep", "wrapped", "sides", "calls", "circle"],
)  # fmt: skip
def test_relating_many_spans_costs_no_more_than_their_number(spans: list[SpanFacts]) -> None:
    began = time.process_time()
    relate(spans)
    assert time.process_time() - began < 2
