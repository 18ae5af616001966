"""What draft rules would have done with past requests."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, fields

from approvals.policy.rule import Facts, Rule
from approvals.policy.terms import Terms, judge

# Not which rule of which version said so, nor in what words.
_NOTICED = tuple(sorted({field.name for field in fields(Terms)} - {"rule", "policy_version", "why"}))


@dataclass(frozen=True, slots=True)
class Replayed:
    """One past request under the draft. `then` are its terms when it was asked."""

    action_id: str
    then: Terms
    now: Terms

    @property
    def is_different(self) -> bool:
        """Whether the draft changes anything that people or agents would notice."""
        return any(getattr(self.then, name) != getattr(self.now, name) for name in _NOTICED)


@dataclass(frozen=True, slots=True)
class DryRun:
    """The requests under the draft, and how many got each answer, then and now, by rule."""

    replayed: list[Replayed]
    answers_then: dict[str, int]
    answers_now: dict[str, int]
    by_rule: dict[str, int]

    @property
    def different(self) -> list[Replayed]:
        """Those that the draft changes."""
        return [one for one in self.replayed if one.is_different]


def dry_run(rules: tuple[Rule, ...], requests: Iterable[tuple[str, Facts, Terms]], *, version: int) -> DryRun:
    """Judge past requests (id, facts, terms then) by draft rules."""
    replayed = [Replayed(name, then, judge(rules, facts, policy_version=version)) for name, facts, then in requests]
    return DryRun(
        replayed,
        dict(Counter(one.then.answer.value for one in replayed)),
        dict(Counter(one.now.answer.value for one in replayed)),
        dict(Counter(one.now.rule or "no rule" for one in replayed)),
    )
