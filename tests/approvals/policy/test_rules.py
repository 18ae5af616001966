"""Rules: what they match, what they say, and every mistake named at once."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from agentconsole.protocol.exact_json import parse_exact
from approvals.policy import (
    Answer,
    InvalidPolicyError,
    Mode,
    PathError,
    Risk,
    Terms,
    changes,
    dry_run,
    is_at_least_as_strict,
    judge,
    parse_path,
    parse_rules,
    stricter,
    to_json,
    warnings_about,
    without,
)
from approvals.policy.predicate import Predicate
from tests.approvals.policy.asked import facts, says


@pytest.mark.parametrize(
    ("rule", "matches"),
    [
        ({}, True),
        ({"environments": ["prod"]}, True),
        ({"environments": ["dev"]}, False),
        ({"tools": ["k8s.*"]}, True),
        ({"tools": ["K8S.*"]}, False),
        ({"tools": ["k8s.[rs]*"]}, True),
        ({"agents": ["d*", "x"], "servers": ["k8s"], "operations": ["restart"]}, True),
        ({"risks": ["medium"]}, True),
        ({"risks": ["high"]}, False),
    ],
)
def test_what_a_rule_matches(rule: dict[str, Any], matches: bool):
    assert (says(rule).answer is Answer.DENY) is matches


@pytest.mark.parametrize(
    ("path", "op", "value", "holds"),
    [
        ("$.n", "eq", 3, True),
        ("$.n", "eq", 3.0, True),
        ("$.n", "eq", "3", False),
        ("$.n", "eq", True, False),
        ("$.n", "gt", 2, True),
        ("$.n", "gt", "2", False),
        ("$.n", "lt", 3, False),
        ("$.n", "in", [1, 3], True),
        ("$.s", "matches", "check*", True),
        ("$.s", "contains", "out", True),
        ("$.s.x", "eq", 1, False),
        ("$.l", "contains", 1, True),
        ("$.l[*].x", "ge", 2, True),
        ("$.l[1].x", "le", 1, False),
        ("$.l[9]", "ne", 1, False),
        ("$['s']", "ne", "x", True),
        ("$.nothing", "eq", None, False),
    ],
)
def test_comparisons(path: str, op: str, value: Any, holds: bool):
    assert Predicate(parse_path(path), op, value).holds(facts().arguments) is holds


def test_a_path_that_leads_nowhere_is_missing_and_nothing_else():
    assert Predicate(parse_path("$.x"), "missing").holds({})
    assert not Predicate(parse_path("$.x"), "exists").holds({})
    assert Predicate(parse_path("$['a.b']"), "exists").holds({"a.b": 1})


@pytest.mark.parametrize("text", ["", "a", "$x", "$.", "$[", "$['a]", "$[-1]", "$..a", "$" + ".a" * 40])
def test_text_that_is_no_path(text: str):
    with pytest.raises(PathError):
        parse_path(text)


def test_every_mistake_is_named_at_once():
    with pytest.raises(InvalidPolicyError) as refusal:
        parse_rules(
            [
                {"name": "a", "answer": "perhaps", "surprise": 1, "approvals": 0},
                {"name": "b", "answer": "allow", "mode": "pending"},
                {"name": "b", "answer": "ask", "excluded": ["$.x"]},
                "no rule",
                {"name": "c", "answer": "ask", "arguments": [{"path": "x", "op": "eq", "value": 1}]},
            ]
        )
    assert {(one["rule"], one["field"]) for one in refusal.value.problems} >= {
        (0, "answer"), (0, "surprise"), (0, "approvals"), (1, "mode"), (2, "excluded"), (3, "rule"), (4, "arguments"),
    }  # fmt: skip


def test_a_rule_is_written_as_it_is_read():
    rule = {
        "name": "r", "answer": "ask", "mode": "compat", "excluded": ["$.c"], "tools": ["x*"], "risks": ["high"],
        "arguments": [{"path": "$.n", "op": "gt", "value": 3}, {"path": "$.m", "op": "missing"}], "approvals": 2,
        "group": "dba", "decide_within_s": 60, "start_within_s": 30, "needs_delegation": True,
    }  # fmt: skip
    (parsed,) = parse_rules([rule])
    assert to_json(parsed) == rule
    assert parse_rules([to_json(parsed)]) == (parsed,)


def test_no_rule_asks_one_person_strictly_and_the_first_that_matches_answers():
    nothing = judge((), facts(), policy_version=0)
    assert (nothing.answer, nothing.mode, nothing.approvals, nothing.rule) == (Answer.ASK, Mode.STRICT, 1, "")
    rules = parse_rules([{"name": "a", "answer": "allow", "tools": ["k8s*"]}, {"name": "b", "answer": "deny"}])
    assert judge(rules, facts(), policy_version=1).rule == "a"


def test_high_risk_needs_the_password_and_an_unproven_delegation_is_denied():
    assert says({"answer": "ask"}, risk=Risk.HIGH).needs_fresh_login
    assert says({"answer": "allow", "needs_delegation": True}).answer is Answer.DENY
    assert says({"answer": "allow", "needs_delegation": True}, is_delegation_verified=True).answer is Answer.ALLOW


def test_what_is_probably_not_meant():
    rules = parse_rules(
        [
            {"name": "all", "answer": "allow"},
            {"name": "late", "answer": "deny"},
            {"name": "c", "answer": "ask", "mode": "compat"},
        ]
    )
    assert {(one["rule"], one["field"]) for one in warnings_about(rules)} == {
        (0, "answer"), (1, "name"), (2, "name"), (2, "excluded"),
    }  # fmt: skip


terms = some.builds(
    Terms,
    answer=some.sampled_from(list(Answer)),
    mode=some.sampled_from(list(Mode)),
    approvals=some.integers(1, 5),
    denials=some.integers(1, 5),
    groups=some.lists(some.sampled_from("ab"), unique=True, max_size=2).map(lambda names: tuple(sorted(names))),
    decide_within_s=some.none() | some.integers(10, 100),
    start_within_s=some.integers(10, 100),
    needs_delegation=some.booleans(),
    needs_fresh_login=some.booleans(),
    excluded=some.lists(some.sampled_from(["$.a", "$.b"]), unique=True, max_size=2).map(tuple),
)


def bare(one: Terms) -> dict[str, Any]:
    return {name: value for name, value in one.to_json().items() if name not in ("rule", "policy_version", "why")} | {
        "excluded": sorted(one.excluded)
    }


@given(terms, terms)
def test_the_stricter_of_two_is_never_weaker_than_either(one: Terms, other: Terms):
    result = stricter(one, other)
    assert is_at_least_as_strict(result, one)
    assert is_at_least_as_strict(result, other)
    assert bare(result) == bare(stricter(other, one))


@given(terms, terms, terms)
def test_the_stricter_of_many_does_not_depend_on_the_order(one: Terms, two: Terms, three: Terms):
    assert bare(stricter(stricter(one, two), three)) == bare(stricter(one, stricter(two, three)))


@given(terms)
def test_terms_are_read_back(one: Terms):
    assert Terms.from_json(one.to_json()) == one


def test_the_projection_takes_out_what_may_drift():
    arguments = {"a": 1, "b": [{"c": 1, "d": 2}, {"c": 3}], "e.f": 1}
    assert without(arguments, ("$.a", "$.b[*].c", "$['e.f']")) == {"b": [{"d": 2}, {}]}
    assert arguments["a"] == 1


def test_changes_name_every_field():
    found = changes(
        parse_exact('{"a":1,"b":{"c":"x"},"l":[1,2],"n":1.0}'), parse_exact('{"b":{"c":"y"},"l":[1],"n":1,"z":null}')
    )
    assert [(one.path, one.kind, one.before, one.after) for one in found] == [
        ("$.a", "removed", "1", None),
        ("$.b.c", "changed", '"x"', '"y"'),
        ("$.l[1]", "removed", "2", None),
        ("$.z", "added", None, "null"),
    ]


def test_very_many_changes_are_counted():
    found = changes({}, {str(number): number for number in range(500)})
    assert (len(found), found[-1].kind, found[-1].after) == (201, "more", "300")


def test_a_dry_run_tells_what_would_be_otherwise():
    past = [("1", facts(), Terms()), ("2", facts(tool="other"), Terms())]
    ran = dry_run(parse_rules([{"name": "r", "answer": "deny", "tools": ["k8s*"]}]), past, version=2)
    assert [one.action_id for one in ran.different] == ["1"]
    assert ran.answers_now == {"deny": 1, "ask": 1}
