"""Which terms are stricter, what a policy may never say, what drifts."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as some

from agentconsole.protocol.exact_json import Number, parse_exact, same_json
from approvals.policy import (
    Answer,
    Change,
    Mode,
    Risk,
    Rule,
    Terms,
    changes,
    dry_run,
    is_at_least_as_strict,
    judge,
    parse_rules,
    stricter,
    without,
)
from approvals.policy.drift import CHANGES_MAX
from tests.approvals.policy.asked import facts, says

words = {"answer": some.sampled_from(list(Answer)), "mode": some.sampled_from(list(Mode))}
counts = {"approvals": some.integers(1, 3), "denials": some.integers(1, 3), "start_within_s": some.integers(10, 13)}
switches = {"needs_delegation": some.booleans(), "needs_fresh_login": some.booleans()}
window = {"decide_within_s": some.none() | some.integers(10, 12)}
drifting = some.lists(some.sampled_from(["$.a", "$.b"]), unique=True).map(tuple)
terms = some.builds(
    Terms, **words, **counts, **switches, **window, excluded=drifting,
    groups=some.lists(some.sampled_from("ab"), unique=True).map(lambda names: tuple(sorted(names))),
)  # fmt: skip
any_rule = some.builds(
    Rule,
    name=some.just("r"),
    **words,
    **counts,
    **switches,
    **window,
    excluded=drifting,
    group=some.sampled_from(["", "g"]),
)


@given(terms, terms, terms)
def test_strictness_is_an_order(one: Terms, two: Terms, three: Terms):
    assert is_at_least_as_strict(one, one)
    if is_at_least_as_strict(one, two) and is_at_least_as_strict(two, three):
        assert is_at_least_as_strict(one, three)


@given(terms, terms)
def test_the_stricter_is_the_least_that_is_strict_enough_for_both(one: Terms, two: Terms):
    both = stricter(one, two)
    for again in (stricter(both, one), stricter(two, both), stricter(both, both)):
        assert is_at_least_as_strict(again, both)
        assert is_at_least_as_strict(both, again)


def test_both_groups_are_demanded_once_the_policy_changed_between_them():
    assert stricter(Terms(groups=("dba",)), Terms(groups=("security",))).groups == ("dba", "security")


def test_a_projection_holds_only_where_both_let_it_drift():
    wide, narrow = Terms(mode=Mode.COMPAT, excluded=("$.a", "$.b")), Terms(mode=Mode.COMPAT, excluded=("$.b",))
    assert stricter(wide, narrow).excluded == ("$.b",)
    assert stricter(wide, Terms(excluded=("$.b",))).excluded == ()


@given(any_rule, some.sampled_from([None, *Risk]), some.booleans())
def test_what_no_rule_may_say(rule: Rule, risk: Risk | None, verified: bool):
    said = judge((rule,), facts(risk=risk, is_delegation_verified=verified), policy_version=3)
    assert not (said.mode is Mode.PENDING and said.answer is Answer.ALLOW)
    assert risk is not Risk.HIGH or said.needs_fresh_login
    assert not rule.needs_delegation or verified or said.answer is Answer.DENY
    assert said.mode is Mode.COMPAT or said.excluded == ()
    assert (said.policy_version, said.rule) == (3, "r")


def test_every_answer_says_why():
    assert says({"answer": "deny"}).why == 'Rule "r" denies this.'
    assert says({"answer": "ask"}).why == 'Rule "r" asks people about this.'
    assert says({"tools": ["x"]}).why == "No rule matches this, so a person decides."
    assert "verified delegation" in says({"answer": "allow", "needs_delegation": True}).why


def test_high_risk_without_a_rule_needs_the_password_too():
    assert judge((), facts(risk=Risk.HIGH), policy_version=0).needs_fresh_login


def test_a_dry_run_tells_of_a_shorter_window():
    past = [("1", facts(), says({"answer": "ask"}))]
    same, shorter = ({"name": "new name", "answer": "ask", **more} for more in ({}, {"start_within_s": 60}))
    assert dry_run(parse_rules([same]), past, version=8).different == []
    assert len(dry_run(parse_rules([shorter]), past, version=8).different) == 1


values = some.recursive(
    some.none() | some.booleans() | some.sampled_from([Number("1"), Number("1.0"), Number("2")]) | some.sampled_from(["1", "a"]),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.sampled_from(["a", "b.c", "'"]), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(values, values)
def test_there_are_changes_exactly_where_values_differ(one: Any, other: Any):
    found = changes(one, other)
    assert (found == []) is same_json(one, other)
    swapped = {"added": "removed", "removed": "added", "changed": "changed"}
    assert [Change(each.path, swapped[each.kind], each.after, each.before) for each in found] == changes(other, one)


@given(values, some.sampled_from(["$.a", "$['b.c'][*]", "$.a[0].a", "$['\\'']"]))
def test_taking_out_twice_is_taking_out_once(value: Any, path: str):
    arguments = {"a": value, "b.c": [value]}
    once = without(arguments, (path,))
    assert without(once, (path,)) == once


def test_lists_do_not_close_up_where_an_element_may_drift():
    assert without({"l": [1, 2]}, ("$.l[0]",)) == {"l": [None, 2]}
    assert without({"l": [2]}, ("$.l[0]",)) != without({"l": [1, 2]}, ("$.l[0]",))


def test_fields_of_an_envelope_are_named_by_paths_that_can_be_read_back():
    approved = parse_exact('{"tool": {"name": "a"}, "arguments": {"amount": 1, "b.c": {"it\'s": true}}}')
    claimed = parse_exact('{"tool": {"name": "b"}, "arguments": {"amount": 1.0, "b.c": {"it\'s": 1}}}')
    assert changes(approved, claimed) == [
        Change("$.arguments['b.c']['it\\'s']", "changed", "true", "1"),
        Change("$.tool.name", "changed", '"a"', '"b"'),
    ]


def test_as_many_changes_as_are_listed_leave_nothing_to_count():
    exactly = {str(number): number for number in range(CHANGES_MAX)}
    assert [one.kind for one in changes({}, exactly)] == ["added"] * CHANGES_MAX
    assert changes({}, {**exactly, "one": "more"})[-1] == Change("$", "more", after="1")


def test_a_boolean_in_place_of_a_number_is_a_change():
    assert [one.path for one in changes({"a": 1, "b": False, "c": 1}, {"a": True, "b": 0, "c": 1.0})] == ["$.a", "$.b"]
