"""Mistakes in rules: each is named beside its field; what is only doubtful is a warning."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from approvals.policy import InvalidPolicyError, parse_rules, to_json, warnings_about
from approvals.policy.doubts import covers
from approvals.policy.predicate import OPS
from tests.approvals.policy.asked import facts


def problems_of(*rules: Any) -> list[tuple[int, str, str]]:
    with pytest.raises(InvalidPolicyError) as refusal:
        parse_rules(list(rules))
    return [(one["rule"], one["field"], one["message"]) for one in refusal.value.data["problems"]]


def comparing(op: str, value: Any, path: str = "$.a") -> dict[str, Any]:
    return {"name": "r", "answer": "deny", "arguments": [{"path": path, "op": op, "value": value}]}


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), json.loads("1e999"), "a\0b", "\ud800", {"\udfff": 1}, [["a\0"]]]
)
def test_what_no_database_keeps_is_refused_before_it_is_in_force(value: Any):
    ((_rule, field, message),) = problems_of(comparing("eq", value))
    assert field == "arguments"
    assert message.startswith("holds ")


@pytest.mark.parametrize(
    ("op", "value"),
    [("gt", True), ("le", None), ("lt", [1]), ("ge", {}), ("matches", 1), ("in", "abc"), ("in", []), ("eq", "x" * 20_001)],
)  # fmt: skip
def test_a_comparison_that_could_never_match_is_refused(op: str, value: Any):
    assert [(rule, field) for rule, field, _message in problems_of(comparing(op, value))] == [(0, "arguments")]


def test_every_wrong_comparison_of_a_rule_is_named():
    rule = {"name": "r", "answer": "deny", "arguments": [
        {"path": "a", "op": "eq", "value": 1}, {"path": "$.ok", "op": "exists"}, {"path": "$.a", "op": "like", "value": 1},
    ]}  # fmt: skip
    ((_rule, _field, message),) = problems_of(rule)
    assert "comparison 1: a path starts with $" in message
    assert "comparison 3: op is eq, ne" in message
    assert "comparison 2" not in message


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("approvals", True), ("approvals", 0), ("approvals", 1.0), ("denials", "1"), ("decide_within_s", 9),
        ("decide_within_s", 7 * 86_400 + 1), ("start_within_s", 9), ("start_within_s", 86_401), ("needs_delegation", 1),
        ("needs_fresh_login", "yes"), ("tools", "k8s.*"), ("tools", [""]), ("agents", [1]), ("risks", ["huge"]),
        ("answer", "ALLOW"), ("answer", []), ("mode", {}), ("group", ["dba"]), ("name", "a\u202eb"), ("name", " "),
    ],
)  # fmt: skip
def test_a_field_of_the_wrong_form_is_named(field: str, value: Any):
    found = problems_of({"name": "r", "answer": "ask", field: value})
    assert [name for _rule, name, _message in found] == [field]


@pytest.mark.parametrize(
    ("field", "value"), [("decide_within_s", 10), ("decide_within_s", 604_800), ("start_within_s", 86_400)]
)
def test_windows_reach_to_their_limits(field: str, value: int):
    (rule,) = parse_rules([{"name": "r", "answer": "ask", field: value}])
    assert getattr(rule, field) == value


def test_a_name_is_taken_also_by_a_rule_with_another_mistake():
    found = problems_of({"name": "r", "answer": "perhaps"}, {"name": "r ", "answer": "deny"})
    assert {(rule, field) for rule, field, _message in found} == {(0, "answer"), (0, "name"), (1, "name")}


def test_the_projection_may_not_be_everything_and_only_compat_has_one():
    assert problems_of({"name": "r", "answer": "ask", "mode": "compat", "excluded": ["$.a", "$"]})[0][1] == "excluded"
    assert problems_of({"name": "r", "answer": "ask", "mode": "pending", "excluded": ["$.a"]})[0][1] == "excluded"


def test_names_of_unknown_fields_are_shown_escaped():
    ((_rule, field, _message),) = problems_of({"name": "r", "answer": "ask", "to\u202ename\ud800": 1})
    assert field.isascii()


texts = some.text(some.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
globs = some.lists(some.text("ab.*?[]!", min_size=1, max_size=5), max_size=3)
scalars = some.booleans() | some.integers() | some.floats(allow_nan=False, allow_infinity=False) | texts
predicates = some.tuples(some.sampled_from(["$.a", "$['a b'][*]", "$[0]"]), some.sampled_from(OPS), scalars).map(
    lambda said: (
        {"path": said[0], "op": said[1]}
        | ({} if said[1] in ("exists", "missing") else {"value": [said[2]] if said[1] == "in" else str(said[2])})
    )
)
rules = some.fixed_dictionaries(
    {"name": some.just("r"), "answer": some.sampled_from(["deny", "ask"])},
    optional={
        "environments": globs, "agents": globs, "tools": globs, "servers": globs, "operations": globs,
        "risks": some.lists(some.sampled_from(["low", "medium", "high"]), unique=True),
        "arguments": some.lists(predicates, max_size=3), "mode": some.sampled_from(["strict", "compat", "pending"]),
        "approvals": some.integers(1, 20), "denials": some.integers(1, 20), "group": texts,
        "decide_within_s": some.integers(10, 604_800), "start_within_s": some.integers(10, 86_400),
        "needs_delegation": some.booleans(), "needs_fresh_login": some.booleans(),
    },
)  # fmt: skip


@given(rules)
def test_any_rule_survives_being_written_down(rule: dict[str, Any]):
    parsed = parse_rules([rule])
    assert parse_rules(json.loads(json.dumps([to_json(one) for one in parsed]))) == parsed


anything = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.sampled_from(["name", "answer", "arguments", "path", "op", "x"]), inner),
    max_leaves=15,
)  # fmt: skip


@given(anything)
def test_whatever_is_sent_is_read_or_refused_in_words(value: Any):
    problems = []
    try:
        parse_rules(value)
    except InvalidPolicyError as error:
        problems = error.problems
    assert value == [] or problems
    json.dumps(problems, ensure_ascii=False).encode()


@pytest.mark.parametrize(
    ("earlier", "later", "is_covered"),
    [
        ({"tools": ["*"]}, {}, True),
        ({"tools": ["k8s.*"]}, {"tools": ["k8s.restart"]}, True),
        ({"tools": ["k8s.*"]}, {"tools": ["k8s.r?*"]}, True),
        ({"tools": ["k8s.*"]}, {"tools": ["k8s.restart", "jira"]}, False),
        ({"tools": ["k8s.*"]}, {}, False),
        ({"tools": ["?"]}, {"tools": ["*"]}, False),
        ({"tools": ["*a*"]}, {"tools": ["[!a]x"]}, False),
        ({"risks": ["low", "medium"]}, {"risks": ["low"]}, True),
        ({"risks": ["low"]}, {}, False),
        ({"environments": ["prod"]}, {"environments": ["prod"], "tools": ["x"]}, True),
        (comparing("eq", 1), comparing("eq", 1), True),
        (comparing("eq", 1), comparing("eq", True), False),
        (comparing("eq", 1), {}, False),
    ],
)
def test_which_rules_are_never_reached(earlier: dict[str, Any], later: dict[str, Any], is_covered: bool):
    draft = [{**earlier, "name": "one", "answer": "deny"}, {**later, "name": "two", "answer": "ask"}]
    found = [one for one in warnings_about(parse_rules(draft)) if one["field"] == "name"]
    assert [(one["rule"], '"one"' in one["message"]) for one in found] == ([(1, True)] if is_covered else [])


@given(globs, globs, some.text("ab.[]!", max_size=5))
def test_a_rule_said_to_be_covered_never_matches_alone(wide: list[str], narrow: list[str], tool: str):
    one, two = parse_rules(
        [{"name": "1", "answer": "ask", "tools": wide}, {"name": "2", "answer": "ask", "tools": narrow}]
    )
    if covers(one, two) and two.matches(facts(tool=tool)):
        assert one.matches(facts(tool=tool))


def test_a_careful_policy_warns_of_nothing():
    draft = [
        {"name": "a", "answer": "allow", "risks": ["low"], "tools": ["read.*"]},
        {"name": "b", "answer": "ask", "mode": "compat", "excluded": ["$.comment"]},
    ]
    assert warnings_about(parse_rules(draft)) == []
