"""What rules say and probably don't mean."""

import json
from collections.abc import Iterable
from fnmatch import fnmatchcase

from approvals.policy.parse import Problem
from approvals.policy.predicate import Predicate
from approvals.policy.rule import GLOBS, Rule
from approvals.policy.words import Answer, Mode, Risk


def warnings_about(rules: Iterable[Rule]) -> list[Problem]:
    """What is allowed and yet probably not meant."""
    found: list[Problem] = []
    earlier: list[Rule] = []
    for number, rule in enumerate(rules):
        cover = next((other for other in earlier if covers(other, rule)), None)
        if cover is not None:
            message = f'is never reached: "{cover.name}" matches everything that it would'
            found.append({"rule": number, "field": "name", "message": message})
        if rule.answer is Answer.ALLOW and (not rule.risks or Risk.HIGH in rule.risks):
            message = "also allows what the agent declares high risk"
            found.append({"rule": number, "field": "answer", "message": message})
        if rule.mode is Mode.COMPAT and not rule.excluded:
            message = "is compat without excluded arguments: it is then as strict as strict"
            found.append({"rule": number, "field": "excluded", "message": message})
        earlier.append(rule)
    return found


def covers(earlier: Rule, later: Rule) -> bool:
    """Whether all that `later` matches is surely matched by `earlier`. False where it can't be told from the text of the rules."""
    return (
        all(_globs_cover(getattr(earlier, name), getattr(later, name)) for name in GLOBS)
        and (not earlier.risks or (bool(later.risks) and set(later.risks) <= set(earlier.risks)))
        and {_text(predicate) for predicate in earlier.arguments} <= {_text(predicate) for predicate in later.arguments}
    )


def _text(predicate: Predicate) -> str:
    # As text, because True == 1 in Python.
    return json.dumps([predicate.path.steps, predicate.op, predicate.value], sort_keys=True)


def _globs_cover(earlier: tuple[str, ...], later: tuple[str, ...]) -> bool:
    return not earlier or all(any(_covers(wide, narrow) for wide in earlier) for narrow in later or ("*",))


def _covers(wide: str, narrow: str) -> bool:
    """Whether one glob matches all that the other does. Sets in brackets are only compared letter by letter."""
    if wide in (narrow, "*"):
        return True
    if "[" in narrow:
        return False
    # What stands for any text in `narrow` can only be taken by the star of a `wide` that has no other signs.
    has_wildcard = any(sign in narrow for sign in "*?")
    return fnmatchcase(narrow, wide) and not (has_wildcard and any(sign in wide for sign in "?["))
