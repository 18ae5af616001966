"""What differs between two JSON values, field by field."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, zip_longest
from typing import Any

from agentconsole.protocol.exact_json import dump_exact, same_json
from approvals.policy.path import spelled

CHANGES_MAX = 200
_NOTHING = object()
_Difference = tuple[tuple[str | int, ...], Any, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `kind` is added, removed, changed, or more (beyond what is listed); texts are exact JSON."""

    path: str
    kind: str
    before: str | None = None
    after: str | None = None


def changes(approved: Any, claimed: Any) -> list[Change]:
    """The differences, in the order of their paths, at most CHANGES_MAX and one that counts the rest. 1 and 1.0 are equal."""
    differences = _between(approved, claimed, ())
    found = [_change(*one) for one in islice(differences, CHANGES_MAX)]
    # The rest is counted, never written out: it may be as long as a request.
    rest = sum(1 for _one in differences)
    return [*found, Change("$", "more", after=str(rest))] if rest else found


def _change(steps: tuple[str | int, ...], before: Any, after: Any) -> Change:
    if before is _NOTHING:
        return Change(spelled(steps), "added", after=dump_exact(after))
    if after is _NOTHING:
        return Change(spelled(steps), "removed", before=dump_exact(before))
    return Change(spelled(steps), "changed", dump_exact(before), dump_exact(after))


def _between(before: Any, after: Any, steps: tuple[str | int, ...]) -> Iterator[_Difference]:
    if isinstance(before, dict) and isinstance(after, dict):
        for name in sorted(before.keys() | after.keys()):
            yield from _between(before.get(name, _NOTHING), after.get(name, _NOTHING), (*steps, name))
    elif isinstance(before, list) and isinstance(after, list):
        for place, (one, other) in enumerate(zip_longest(before, after, fillvalue=_NOTHING)):
            yield from _between(one, other, (*steps, place))
    elif not _is_same(before, after):
        yield steps, before, after


def _is_same(before: Any, after: Any) -> bool:
    # Most fields are the same to the letter, and need no arithmetic. True == 1 in Python, hence the kinds.
    return (type(before) is type(after) and not isinstance(before, dict | list) and before == after) or same_json(
        before, after
    )
