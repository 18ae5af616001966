"""After a fault: what people and agents were told against what the console kept. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tests.approvals.killable import wanted
from tests.faults.kept import Kept, KeptAction

STATUS = {"approve": "approved", "deny": "denied"}
ENDS = {"APPROVAL_APPROVED", "APPROVAL_DENIED", "APPROVAL_EXPIRED", "APPROVAL_CANCELLED"}


@dataclass(frozen=True)
class Told:
    """What those at work were told, or did."""

    numbers: Mapping[str, Sequence[int]]
    decisions: Mapping[str, str]
    asked: Sequence[str]
    claims: Sequence[tuple[str, str]]
    effects: Sequence[str]


@dataclass(frozen=True)
class Reckoning:
    """The figures, and what is wrong with them in words."""

    acknowledged: int
    stored: int
    decided: int
    audited: int
    effects: int
    twice: int
    wrong: list[str] = field(default_factory=list)


def reckon(told: Told, kept: Kept) -> Reckoning:
    """Hold the one against the other."""
    counts = Counter(told.effects)
    twice = sum(count - 1 for count in counts.values())
    wrong = [
        *_wrong_items(told, kept),
        *_wrong_decisions(told, kept),
        *_wrong_effects(told, kept, counts),
        *_wrong_evidence(told, kept),
    ]
    return Reckoning(
        acknowledged=sum(len(numbers) for numbers in told.numbers.values()),
        stored=sum(len(set(numbers)) for numbers in kept["numbers"].values()),
        decided=len(told.decisions),
        audited=sum(_is_audited(kept["actions"].get(action_id)) for action_id in told.decisions),
        effects=len(told.effects),
        twice=twice,
        wrong=wrong,
    )


def _wrong_items(told: Told, kept: Kept) -> Iterator[str]:
    for run, numbers in told.numbers.items():
        found = Counter(kept["numbers"].get(run, []))
        lost = len(set(numbers) - found.keys())
        if lost:
            yield f"{lost} acknowledged items lost"
        if doubled := sum(count - 1 for count in found.values()):
            yield f"{doubled} items stored twice"


def _wrong_decisions(told: Told, kept: Kept) -> Iterator[str]:
    for action_id, verdict in told.decisions.items():
        action = kept["actions"].get(action_id)
        if action is None or action["status"] != STATUS[verdict] or action["votes"] != [verdict]:
            yield f"the decision on {action_id} ({verdict}) is not kept: {action}"


def _wrong_effects(told: Told, kept: Kept, counts: Counter[str]) -> Iterator[str]:
    for action_id, count in counts.items():
        action = kept["actions"].get(action_id)
        if count > 1:
            yield f"{action_id} was executed {count} times"
        if action is None or action["status"] != "approved" or action["claim_key"] is None:
            yield f"{action_id} was executed and is not approved and claimed: {action}"
    for action_id in told.asked:
        if action_id not in kept["actions"]:
            yield f"the question {action_id} is lost"
    claimed = {(one, kept["actions"][one]["claim_key"]) for one in told.asked if one in kept["actions"]}
    claimed = {(one, key) for one, key in claimed if key}
    if claimed != set(told.claims):
        yield f"claims and those who were told of them differ: {sorted(claimed ^ set(told.claims), key=str)}"
    if unclaimed := [one for one in told.asked if wanted(one) == "approve" and one not in dict(told.claims)]:
        yield f"approved and never claimed: {unclaimed}"


def _wrong_evidence(told: Told, kept: Kept) -> Iterator[str]:
    if kept["broken"]:
        yield f"the audit chain is broken: {kept['broken']}"
    for action_id, action in kept["actions"].items():
        if action["status"] != "pending" and not _is_audited(action):
            yield f"the audit of {action_id} is not whole: {action}"


def _is_audited(action: KeptAction | None) -> bool:
    """Whether the chain tells of each step exactly once."""
    if action is None:
        return False
    told = {token: count for token, count in action["audited"].items() if not token.endswith("_REFUSED")}
    expected = {"APPROVAL_REQUESTED", f"APPROVAL_{action['status'].upper()}"}
    expected |= {"APPROVAL_VOTED"} if action["votes"] else set()
    expected |= {"APPROVAL_CLAIMED"} if action["claim_key"] else set()
    expected |= {"APPROVAL_OUTCOME_REPORTED"} if action["outcome"] in ("succeeded", "failed") else set()
    return expected <= told.keys() and all(told[token] == 1 for token in expected) and len(ENDS & told.keys()) == 1
