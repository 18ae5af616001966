"""The terms of a decision: what a policy says of one request, and which of two is the stricter."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Self

from approvals.policy.path import UnjudgeableError
from approvals.policy.rule import START_WITHIN_S, Facts, Rule
from approvals.policy.words import STRICTNESS_OF_ANSWER, STRICTNESS_OF_MODE, Answer, Mode, Risk


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Who decides and how, and what may differ at the claim. `why` is a sentence for people and for the agent.

    A voter has to be in each of `groups`. `excluded` are the argument paths that may drift, in `compat` alone.
    """

    answer: Answer = Answer.ASK
    mode: Mode = Mode.STRICT
    approvals: int = 1
    denials: int = 1
    groups: tuple[str, ...] = ()
    decide_within_s: int | None = None
    start_within_s: int = START_WITHIN_S
    needs_delegation: bool = False
    needs_fresh_login: bool = False
    excluded: tuple[str, ...] = ()
    rule: str = ""
    policy_version: int = 0
    why: str = ""

    def to_json(self) -> dict[str, Any]:
        """As plain JSON; `from_json` reads it back."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """The terms of `to_json`. TypeError, ValueError or KeyError if it is not one."""
        return cls(
            **{
                **value,
                "answer": Answer(value["answer"]),
                "mode": Mode(value["mode"]),
                "groups": tuple(value["groups"]),
                "excluded": tuple(value["excluded"]),
            }
        )


def judge(rules: Iterable[Rule], facts: Facts, *, policy_version: int) -> Terms:
    """What a policy says of a request: the first rule that matches; without one, a person decides, strictly.

    A rule whose match can't be told denies: what it would say and what later rules would are both unsafe to assume. Never raises.
    """
    for rule in rules:
        try:
            if rule.matches(facts):
                return _said(rule, facts, policy_version)
        except UnjudgeableError as error:
            why = f'Rule "{rule.name}" can\'t tell whether it matches this, so it is denied: {error}.'
            return _terms(rule, facts, policy_version, Answer.DENY, why)
    return Terms(
        needs_fresh_login=facts.risk is Risk.HIGH,
        policy_version=policy_version,
        why="No rule matches this, so a person decides.",
    )


def _said(rule: Rule, facts: Facts, policy_version: int) -> Terms:
    if rule.needs_delegation and not facts.is_delegation_verified:
        why = f'Rule "{rule.name}" demands a verified delegation, and there is none.'
        return _terms(rule, facts, policy_version, Answer.DENY, why)
    # No standing rule answers in `pending`, also one that was not read by `parse_rules`.
    is_for_people = rule.mode is Mode.PENDING and rule.answer is Answer.ALLOW
    answer = Answer.ASK if is_for_people else rule.answer
    verbs = {Answer.ALLOW: "allows", Answer.DENY: "denies", Answer.ASK: "asks people about"}
    return _terms(rule, facts, policy_version, answer, f'Rule "{rule.name}" {verbs[answer]} this.')


def _terms(rule: Rule, facts: Facts, policy_version: int, answer: Answer, why: str) -> Terms:
    return Terms(
        answer=answer,
        mode=rule.mode,
        approvals=rule.approvals,
        denials=rule.denials,
        groups=(rule.group,) if rule.group else (),
        decide_within_s=rule.decide_within_s,
        start_within_s=rule.start_within_s,
        needs_delegation=rule.needs_delegation,
        needs_fresh_login=rule.needs_fresh_login or facts.risk is Risk.HIGH,
        excluded=rule.excluded if rule.mode is Mode.COMPAT else (),
        rule=rule.name,
        policy_version=policy_version,
        why=why,
    )


def stricter(asked: Terms, now: Terms) -> Terms:
    """Never weaker than either: each part from the stricter one. Name and version are those of the stricter answer, `now`'s if
    they agree."""
    leading = asked if _rank(asked) > _rank(now) else now
    return Terms(
        answer=leading.answer,
        mode=max(asked.mode, now.mode, key=STRICTNESS_OF_MODE.index),
        approvals=max(asked.approvals, now.approvals),
        denials=min(asked.denials, now.denials),
        groups=tuple(sorted({*asked.groups, *now.groups})),
        decide_within_s=_least(asked.decide_within_s, now.decide_within_s),
        start_within_s=min(asked.start_within_s, now.start_within_s),
        needs_delegation=asked.needs_delegation or now.needs_delegation,
        needs_fresh_login=asked.needs_fresh_login or now.needs_fresh_login,
        excluded=tuple(path for path in asked.excluded if path in now.excluded)
        if asked.mode is now.mode is Mode.COMPAT
        else (),
        rule=leading.rule,
        policy_version=leading.policy_version,
        why=leading.why,
    )


def is_at_least_as_strict(one: Terms, other: Terms) -> bool:
    """Whether `one` lets nothing through that `other` would not."""
    return (
        _rank(one) >= _rank(other)
        and STRICTNESS_OF_MODE.index(one.mode) >= STRICTNESS_OF_MODE.index(other.mode)
        and one.approvals >= other.approvals
        and one.denials <= other.denials
        and set(one.groups) >= set(other.groups)
        and _least(one.decide_within_s, other.decide_within_s) == one.decide_within_s
        and one.start_within_s <= other.start_within_s
        and one.needs_delegation >= other.needs_delegation
        and one.needs_fresh_login >= other.needs_fresh_login
        and (one.mode is not Mode.COMPAT or set(one.excluded) <= set(other.excluded))
    )


def _rank(terms: Terms) -> int:
    return STRICTNESS_OF_ANSWER.index(terms.answer)


def _least(one: int | None, other: int | None) -> int | None:
    return min((value for value in (one, other) if value is not None), default=None)
