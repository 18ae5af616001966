"""The matrix's own verdicts: each thing that must hold fails a cell when it does not."""

from dataclasses import replace

import pytest

from tests.faults.judging import Course, judge
from tests.faults.kept import Kept
from tests.faults.matrix import Cell, Turns
from tests.faults.reckoning import Told, reckon
from tests.faults.watching import Look

ONE, TWO = "http://one", "http://two"
CELL = Cell("distributed", "Redis", "network cut", frozenset({"channel_layer"}), Turns.ALL)
OK = frozenset[str]()
APPROVED = "00000000-0000-7000-8000-000000000001"
AUDITED = ("REQUESTED", "VOTED", "APPROVED", "CLAIMED", "OUTCOME_REPORTED")


def look(url: str, at: float, *named: str, live: int = 200, proven_at: float = 112) -> Look:
    return Look(url, at, 503 if named else 200, frozenset(named), live, proven_at)


def course(*looks: Look, cell: Cell = CELL) -> Course:
    return Course(cell, (ONE, TWO), broken_at=100, repaired_at=110, looks=looks)


def both(at: float, *named: str) -> list[Look]:
    return [look(ONE, at, *named), look(TWO, at, *named)]


def test_a_fault_that_both_name_and_that_heals_is_in_order():
    judged = judge(course(*both(104, "channel_layer"), *both(112, "channel_layer"), *both(113)))
    assert (judged.wrong, judged.noticed_s, judged.back_s) == ([], 4, 3)


@pytest.mark.parametrize(
    ("looks", "words"),
    [
        ([*both(104), *both(113)], "channel_layer was not named within 25 s"),
        ([*both(104, "database"), *both(113)], "channel_layer was not named within 25 s"),
        ([look(ONE, 104, "channel_layer"), look(TWO, 104), *both(113)], "channel_layer was not named within 25 s"),
        ([*both(104, "channel_layer"), look(ONE, 113), look(TWO, 113, "worker")], "not ready again: worker"),
        (
            [*both(104, "channel_layer"), look(ONE, 113), look(TWO, 113, proven_at=109)],
            "not ready again: nothing, but by evidence from before the repair",
        ),
        ([*both(104, "channel_layer"), look(ONE, 105, live=0), *both(113)], "live was not 200 in 1 of 5 looks"),
    ],
)
def test_what_was_not_seen_or_did_not_heal_is_told(looks: list[Look], words: str):
    assert judge(course(*looks)).wrong == [words]


def test_a_web_process_that_is_not_concerned_must_stay_ready():
    own = replace(CELL, part="web", fault="kill -9", names=frozenset({"no answer"}), turns=Turns.OWN)
    gone = [Look(ONE, 101, 0, frozenset({"no answer"}), 0), look(TWO, 101)]
    assert judge(course(*gone, *both(113), cell=own)).wrong == []
    stray = judge(course(*gone, look(TWO, 102, "hub"), *both(113), cell=own))
    assert stray.wrong == ["a web process that is not concerned was not ready: hub"]


def told() -> Told:
    return Told({"run": [0, 1]}, {APPROVED: "approve"}, [APPROVED], [(APPROVED, "key")], [APPROVED])


def kept() -> Kept:
    audited = {f"APPROVAL_{step}": 1 for step in AUDITED}
    action = {
        "status": "approved",
        "claim_key": "key",
        "outcome": "succeeded",
        "votes": ["approve"],
        "audited": audited,
    }
    return {"numbers": {"run": [0, 1]}, "actions": {APPROVED: action}, "broken": ""}  # type: ignore[dict-item]


def test_what_was_told_and_is_kept_is_in_order():
    assert reckon(told(), kept()).wrong == []


def test_a_lost_item_a_doubled_one_and_a_broken_chain_are_told():
    found = {**kept(), "numbers": {"run": [0, 0]}, "broken": "entry 4 is missing"}
    assert reckon(told(), found).wrong == [  # type: ignore[arg-type]
        "1 acknowledged items lost",
        "1 items stored twice",
        "the audit chain is broken: entry 4 is missing",
    ]


def test_an_effect_that_happened_twice_is_told():
    twice = reckon(replace(told(), effects=[APPROVED, APPROVED]), kept())
    assert (twice.twice, twice.wrong) == (1, [f"{APPROVED} was executed 2 times"])


@pytest.mark.parametrize("change", [{"status": "denied"}, {"votes": []}, {"claim_key": None}, {"audited": {}}])
def test_a_decision_or_a_claim_that_is_not_kept_is_told(change: dict[str, object]):
    found = kept()
    found["actions"][APPROVED].update(change)  # type: ignore[typeddict-item]
    assert reckon(told(), found).wrong


def test_an_approved_action_that_nobody_could_claim_is_told():
    found = kept()
    found["actions"][APPROVED].update({"claim_key": None, "outcome": "", "audited": {}})
    assert f"approved and never claimed: ['{APPROVED}']" in reckon(replace(told(), claims=[], effects=[]), found).wrong
