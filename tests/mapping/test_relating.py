"""What spans make of each other: one row per real call, sub-agents where they belong, and the same in any order."""

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.mapping.decoding import capture
from tests.mapping.making import fact
from tests.mapping.told import accounts_of, facts_of
from traces.mapping import relate
from traces.mapping.account import Call, Role, SpanFacts

AGENT, WORKFLOW, TOOL, MODEL = Role.AGENT, Role.WORKFLOW, Role.TOOL, Role.MODEL


def test_a_tool_s_parts_are_one_call_with_it() -> None:
    placings = relate([
        fact("agent", role=AGENT),
        fact("call", "agent", TOOL, name="refund", outcome="unreported"),
        fact("wait", "call", Role.GATE),
        fact("run", "call", Role.TOOL_PART, outcome="auth_failed", call_id="c-1"),
        fact("step", "run"),
        fact("server", "step", Role.TOOL_SIDE, name="refund", outcome="error"),
    ])  # fmt: skip
    assert [span for span, placing in placings.items() if placing.kind == "tool"] == ["call"]
    call = placings["call"]
    assert (call.outcome, call.call_id, call.taken_from) == ("auth_failed", "c-1", {"message": "run"})
    assert (placings["run"].one_with, placings["server"].one_with) == ("call", "call")
    assert placings["server"].rules == {"one_with": "part.by_ancestry"}


def test_a_part_gives_its_whole_what_that_lacks_and_no_more() -> None:
    placings = relate([
        fact("call", role=TOOL, name="x", outcome="unreported"),
        fact("side", "call", Role.TOOL_SIDE, name="x", has_result=True, has_arguments=True),
        fact("well", role=TOOL, name="y", has_result=True),
        fact("bad", "well", Role.TOOL_SIDE, name="y", outcome="degraded"),
    ])  # fmt: skip
    assert placings["call"].taken_from == {"result": "side", "arguments": "side", "message": "side"}
    assert placings["call"].outcome == "ok"
    assert (placings["well"].outcome, placings["well"].taken_from) == ("ok", {})


def test_another_tool_or_another_call_within_a_call_is_its_own() -> None:
    placings = relate([
        fact("ask", role=TOOL, name="ask"),
        fact("other", "ask", TOOL, name="fetch"),
        fact("agent", "ask", AGENT),
        fact("again", "agent", TOOL, name="ask"),
        fact("a", role=TOOL, name="x", call_id="1"),
        fact("b", "a", TOOL, name="x", call_id="2"),
    ])  # fmt: skip
    assert {span for span, placing in placings.items() if placing.kind == "tool"} == {"ask", "other", "again", "a", "b"}


def test_a_server_in_the_same_process_is_the_call_s_other_side() -> None:
    placings = relate([
        fact("root"),
        fact("agent", "root", AGENT),
        fact("one", "agent", TOOL, name="x", start=1, end=2),
        fact("two", "agent", TOOL, name="x", start=1.1, end=2),
        fact("side1", "root", Role.TOOL_SIDE, name="x", start=1.2, end=1.3),
        fact("side2", "root", Role.TOOL_SIDE, name="x", start=1.3, end=1.4),
        fact("late", "root", Role.TOOL_SIDE, name="x", start=5, end=6),
    ])  # fmt: skip
    assert {placings["side1"].one_with, placings["side2"].one_with} == {"one", "two"}
    assert placings["late"].kind == "tool"


def test_mcp_alone_shows_its_outermost_side_as_the_call() -> None:
    placings = relate([
        fact("client", role=Role.TOOL_SIDE, name="x"),
        fact("send", "client", Role.TOOL_SIDE, name="x"),
        fact("server", "send", Role.TOOL_SIDE, name="x", has_result=True),
    ])  # fmt: skip
    assert [placings[span].kind for span in ("client", "send", "server")] == ["tool", "step", "step"]
    assert placings["client"].taken_from["result"] == "server"


def test_an_agent_is_a_sub_agent_of_the_tool_or_the_agent_that_holds_it() -> None:
    placings = relate([
        fact("top", role=AGENT, agent="triage"),
        fact("ask", "top", TOOL, name="ask"),
        fact("chain", "ask"),
        fact("sub", "chain", AGENT, agent="supplier"),
        fact("turn", "top"),
        fact("delegate", "turn", AGENT, agent="writer"),
    ])  # fmt: skip
    assert (placings["top"].kind, placings["top"].is_top) == ("step", True)
    assert (placings["sub"].kind, placings["sub"].rules["kind"]) == ("subagent", "agent.of_tool")
    assert (placings["delegate"].kind, placings["delegate"].rules["kind"]) == ("subagent", "agent.delegated")
    assert not placings["sub"].is_top


def test_an_agent_over_a_workflow_of_its_name_is_shown_once() -> None:
    placings = relate([
        fact("outer", role=AGENT, name="triage", agent="triage"),
        fact("inner", "outer", WORKFLOW, name="triage", agent="triage"),
        fact("crew", role=WORKFLOW, name="crew", start=5),
        fact("member", "crew", AGENT, name="writer", agent="writer", start=6, outcome="error"),
    ])  # fmt: skip
    assert (placings["inner"].kind, placings["inner"].one_with, placings["inner"].is_top) == ("step", "outer", False)
    assert (placings["crew"].is_top, placings["member"].is_top) == (True, True)
    assert placings["member"].kind == "subagent"


def test_a_tool_gets_its_call_s_id_and_arguments_from_the_model_that_asked() -> None:
    calls: tuple[Call, ...] = (("c-1", "x", {"n": 1}), ("c-2", "x", {"n": 2}), ("c-3", "y", {}))
    placings = relate([
        fact("agent", role=AGENT),
        fact("model", "agent", MODEL, calls=calls),
        fact("first", "agent", TOOL, name="x", start=2),
        fact("second", "agent", TOOL, name="x", start=3, has_arguments=True),
        fact("known", "agent", TOOL, name="y", start=4, call_id="c-3"),
        fact("never", "agent", TOOL, name="z", start=5),
    ])  # fmt: skip
    assert (placings["first"].call_id, placings["first"].arguments) == ("c-1", {"n": 1})
    assert (placings["second"].call_id, placings["second"].arguments) == ("c-2", None)
    assert (placings["known"].call_id, placings["known"].arguments) == ("c-3", {})
    assert placings["never"].call_id == ""


def test_a_call_that_was_held_back_is_not_mistaken_for_a_later_one() -> None:
    placings = relate([
        fact("agent", role=AGENT),
        fact("m1", "agent", MODEL, calls=(("held", "x", {}),)),
        fact("m2", "agent", MODEL, start=2, calls=(("ran", "x", {}),)),
        fact("tool", "agent", TOOL, name="x", start=3),
        fact("other", role=AGENT, start=2),
        fact("m3", "other", MODEL, start=2.5, calls=(("elsewhere", "x", {}),)),
    ])  # fmt: skip
    assert placings["tool"].call_id == "ran"


def test_model_spans_within_each_other_are_one_call() -> None:
    placings = relate([
        fact("wrap", role=MODEL, calls=(("c-1", "x", {"n": 1}),)),
        fact("call", "wrap", MODEL, has_usage=True),
        fact("http", "call", MODEL, has_usage=True),
        fact("silent", role=MODEL),
        fact("inner", "silent", MODEL),
        fact("tool", role=TOOL, name="x", start=2),
    ])  # fmt: skip
    assert sorted(span for span, placing in placings.items() if placing.kind == "model") == ["call", "silent"]
    assert (placings["wrap"].one_with, placings["http"].one_with, placings["inner"].one_with) == (
        "call",
        "call",
        "silent",
    )
    assert placings["tool"].arguments == {"n": 1}


def test_a_call_waits_while_its_gate_does() -> None:
    placings = relate([
        fact("call", role=TOOL, outcome="unreported", end=None),
        fact("gate", "call", Role.GATE, outcome="running", end=None),
        fact("no", role=TOOL, outcome="unreported"),
        fact("refused", "no", Role.GATE, outcome="rejected"),
    ])  # fmt: skip
    assert (placings["call"].outcome, placings["no"].outcome) == ("waiting", "rejected")


def test_a_gate_is_over_when_the_call_that_it_held_back_has_begun() -> None:
    gate = fact("gate", role=Role.GATE, outcome="waiting", agent="a", calls=(("", "refund", {}),))
    assert relate([gate])["gate"].outcome == "waiting"
    before = fact("t", role=TOOL, name="refund", agent="a", start=-5)
    assert relate([gate, before])["gate"].outcome == "waiting"
    after = fact("t", role=TOOL, name="refund", agent="a", start=9)
    assert relate([gate, after])["gate"].outcome == "ok"


def test_a_deferred_call_that_ran_later_is_one_call() -> None:
    placings = relate([
        fact("asked", role=TOOL, name="refund", call_id="c-1", outcome="waiting"),
        fact("ran", role=TOOL, name="refund", call_id="c-1", start=60, has_result=True),
    ])  # fmt: skip
    assert (placings["asked"].kind, placings["asked"].one_with) == ("step", "ran")
    assert (placings["ran"].kind, placings["ran"].outcome) == ("tool", "ok")


def test_two_instrumentations_of_one_call_are_one_row_and_two_tries_are_two() -> None:
    placings = relate([
        fact("one", role=TOOL, name="x", call_id="c-1", end=3),
        fact("same", role=TOOL, name="x", call_id="c-1", start=1, end=2),
        fact("side", "same", Role.TOOL_SIDE, name="x", start=1, has_arguments=True),
        fact("again", role=TOOL, name="x", call_id="c-1", start=9),
    ])  # fmt: skip
    assert (placings["side"].one_with, placings["one"].taken_from) == ("one", {"arguments": "side"})
    assert [placings[span].kind for span in ("one", "same", "again")] == ["tool", "step", "tool"]


def test_a_failure_that_went_up_names_where_it_began() -> None:
    bad: dict[str, Any] = {"outcome": "error", "error": "E: m"}
    placings = relate([
        fact("root", role=AGENT, **bad), fact("step", "root", **bad), fact("tool", "step", TOOL, **bad), fact("own", outcome="error", error="x"),
    ])  # fmt: skip
    assert [placings[span].error_from for span in ("root", "step", "tool", "own")] == ["tool", "tool", "", ""]


def test_missing_and_forged_parents_are_borne() -> None:
    circle = [fact("a", "b", TOOL), fact("b", "a", AGENT), fact("self", "self", MODEL), fact("orphan", "gone", AGENT)]
    assert relate(circle).keys() == {"a", "b", "self", "orphan"}


def test_a_span_that_is_told_twice_counts_as_ended() -> None:
    running, ended = fact("a", role=TOOL, outcome="running", end=None), fact("a", role=TOOL, has_result=True)
    for order in ([running, ended], [ended, running], [ended, running, ended]):
        assert relate(order)["a"].outcome == "ok"


ROLES = st.sampled_from(list(Role))
NAMES = st.sampled_from(["x", "y", ""])
IDS = st.sampled_from("abcdefgh")
FACTS = st.builds(
    lambda span, parent, role, name, call, outcome, start, length, flags: fact(
        span, parent, role, name=name, agent=name, call_id=call, outcome=outcome, start=start,
        end=None if length is None else start + length, has_result=flags[0], has_usage=flags[1],
        calls=((call, "x", None), ("", "y", {})) if flags[2] else (), error="e",
    ),
    IDS, IDS | st.just(""), ROLES, NAMES, st.sampled_from(["", "1", "2"]),
    st.sampled_from(["ok", "waiting", "error", "timeout", "unreported", "running"]), st.integers(0, 5), st.none() | st.integers(0, 3),
    st.tuples(st.booleans(), st.booleans(), st.booleans()),
)  # fmt: skip


@given(st.lists(FACTS, max_size=14), st.randoms(use_true_random=False))
def test_the_order_of_spans_and_their_repetition_change_nothing(facts: list[SpanFacts], shuffle: random.Random) -> None:
    shuffled = facts + facts[:3]
    shuffle.shuffle(shuffled)
    assert relate(shuffled) == relate(facts)


@settings(max_examples=10)
@given(st.randoms(use_true_random=False), st.sampled_from(["claude_agent_sdk", "traceloop_langchain", "logfire"]))
def test_what_a_framework_sent_is_related_the_same_in_any_order(shuffle: random.Random, folder: str) -> None:
    facts = [facts_of(account) for account in accounts_of(capture(folder).spans).values()]
    placings = relate(facts)
    shuffle.shuffle(facts)
    assert relate(facts) == placings
