"""Arguments that try to slip past a comparison."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from agentconsole.protocol.exact_json import Number, parse_exact
from approvals.policy import Answer, Rule, judge, parse_path, parse_rules, to_json
from approvals.policy.path import LOOKS_MAX, UnjudgeableError
from approvals.policy.predicate import OPS, Predicate
from tests.approvals.policy.asked import facts, holds

NO_BIG_ONES = parse_rules(
    [
        {"name": "no big", "answer": "deny", "arguments": [{"path": "$.l[*]", "op": "gt", "value": 1000}]},
        {"name": "rest", "answer": "allow"},
    ]
)


def judged(arguments: Any, rules: tuple[Rule, ...] = NO_BIG_ONES):
    return judge(rules, facts(arguments=arguments), policy_version=1)


@pytest.mark.parametrize("op", ["eq", "ne", "gt", "ge", "lt", "le", "in", "contains", "matches"])
@pytest.mark.parametrize(
    ("found", "value"),
    [("true", 1), ("1", True), ("false", 0), ('"1"', 1), ("1", "1"), ("null", 0), ('"null"', None), ("[1]", 1), ("{}", [])],
)  # fmt: skip
def test_values_of_two_kinds_never_match(op: str, found: str, value: Any):
    takes_list = [value] if op == "in" else value
    # An element is of its own kind, and a text is surely not null.
    is_meant = (op, found, value) in [("ne", '"null"', None), ("contains", "[1]", 1)]
    assert holds("$.a", op, takes_list, f'{{"a": {found}}}') is is_meant


@pytest.mark.parametrize(
    ("path", "arguments"),
    [
        ("$['a.b']", '{"a": {"b": 1}}'),
        ("$.a.b", '{"a.b": 1}'),
        ("$.s[0]", '{"s": "text"}'),
        ("$.s.length", '{"s": "text"}'),
        ("$.s[*]", '{"s": "text"}'),
        ("$.o[*]", '{"o": {"k": 1}}'),
        ("$.l['0']", '{"l": [1]}'),
        ("$.o[0]", '{"o": {"0": 1}}'),
        ("$['caf\u00e9']", '{"cafe\u0301": 1}'),
    ],
)
def test_a_path_leads_only_where_it_says(path: str, arguments: str):
    assert holds(path, "missing", None, arguments)
    assert not holds(path, "exists", None, arguments)


def test_a_padded_list_does_not_slip_past_a_rule_that_denies():
    terms = judged(parse_exact('{"l": [' + "1," * LOOKS_MAX + "5000]}"))
    assert (terms.answer, terms.rule) == (Answer.DENY, "no big")
    assert "can't tell whether it matches" in terms.why


@pytest.mark.parametrize("answer", ["allow", "ask", "deny"])
def test_whatever_a_rule_answers_it_denies_what_it_can_not_judge(answer: str):
    rules = parse_rules([{**to_json(NO_BIG_ONES[0]), "answer": answer}, {"name": "rest", "answer": "allow"}])
    assert judged(parse_exact('{"l": [' + "1," * LOOKS_MAX + "1]}"), rules).answer is Answer.DENY


def test_a_long_list_that_can_be_told_is_judged():
    short = LOOKS_MAX // 2
    assert judged(parse_exact('{"l": [' + "1," * short + "5000]}")).rule == "no big"
    assert judged(parse_exact('{"l": [' + "1," * short + "5]}")).rule == "rest"
    assert judged(parse_exact('{"l": [5000' + ",1" * 2 * LOOKS_MAX + "]}")).why == 'Rule "no big" denies this.'


def test_one_comparison_that_fails_settles_what_another_can_not_tell():
    rule = {"name": "r", "answer": "deny", "arguments": [
        {"path": "$.l", "op": "contains", "value": 7}, {"path": "$.to", "op": "eq", "value": "all"},
    ]}  # fmt: skip
    long = '{"l": [' + "1," * 2 * LOOKS_MAX + '2], "to": "%s"}'
    assert judged(parse_exact(long % "one"), parse_rules([rule])).answer is Answer.ASK
    assert judged(parse_exact(long % "all"), parse_rules([rule])).answer is Answer.DENY


def test_lists_in_lists_share_one_allowance():
    row = "[" + ",".join("1" * 200) + "]"
    arguments = parse_exact('{"l": [' + ",".join([row] * 100) + "]}")
    with pytest.raises(UnjudgeableError):
        Predicate(parse_path("$.l[*]"), "contains", 7).holds(arguments)


def test_a_number_beyond_comparing_denies_rather_than_raises():
    assert judged({"l": [Number("1e" + "9" * 30)]}).answer is Answer.DENY


numbers = some.decimals(allow_nan=False, allow_infinity=False) | some.sampled_from(
    [Decimal(0), Decimal("-0.0"), Decimal("1E+400"), Decimal("-1E+400"), Decimal("1E-400"), Decimal(2**53 + 1)]
)


@given(numbers, numbers)
def test_numbers_are_compared_by_exact_value(one: Decimal, other: Decimal):
    found, value = Number(str(one)), Number(str(other))
    asked = {
        op: Predicate(parse_path("$.n"), op, value).holds({"n": found}) for op in ("lt", "le", "eq", "ne", "ge", "gt")
    }
    assert asked == {
        "lt": one < other, "le": one <= other, "eq": one == other, "ne": one != other, "ge": one >= other, "gt": one > other,
    }  # fmt: skip


def test_neighbours_that_a_float_can_not_tell_apart_are_told_apart():
    assert holds("$.n", "gt", 9007199254740992, '{"n": 9007199254740993}')
    assert not holds("$.n", "eq", 0.1, '{"n": 0.1000000000000000055511151231257827}')


json_values = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats(allow_nan=False, allow_infinity=False) | some.text(),
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(some.sampled_from("abc"), inner, max_size=3),
    max_leaves=12,
)
paths = some.sampled_from(["$", "$.a", "$.a.b", "$[*]", "$.a[*]", "$.a[0].b", "$['c'][*][*]"]).map(parse_path)


@given(paths, some.sampled_from(OPS), json_values, json_values)
def test_no_comparison_of_any_values_raises(path: Any, op: str, value: Any, arguments: Any):
    assert Predicate(path, op, value).holds(arguments) in (True, False)


@given(json_values, some.sampled_from(["a", "b"]))
def test_eq_and_in_agree_and_ne_never_does(value: Any, name: str):
    here = {"a": value, "b": True}
    path = parse_path(f"$.{name}")
    same = Predicate(path, "eq", value).holds(here)
    assert Predicate(path, "in", ["~", value]).holds(here) is (same or here[name] == "~")
    assert not (same and Predicate(path, "ne", value).holds(here))


@pytest.mark.parametrize(
    ("glob", "tool", "matches"),
    [
        ("db[1].drop", "db[1].drop", False),
        ("db[1].drop", "db1.drop", True),
        ("db[[]1].drop", "db[1].drop", True),
        ("*", "", True),
        ("k8s.*", "k8s.a\nb", True),
        ("k8s", "k8s\n", False),
        ("deploy", "\uff44eploy", False),
        ("caf\u00e9", "cafe\u0301", False),
        ("[", "[", True),
        ("[z-a]", "m", False),
    ],
)  # fmt: skip
def test_signs_of_globs_in_names_of_tools(glob: str, tool: str, matches: bool):
    (rule,) = parse_rules([{"name": "r", "answer": "deny", "tools": [glob]}])
    assert rule.matches(facts(tool=tool)) is matches
