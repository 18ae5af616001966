"""The envelope says whether its data counts, and reads as JSON."""

import json

import pytest

from agentconsole.protocol.envelope import Attempt, Budget, Envelope, Hint, Outcome

BUDGET = Budget(soft_ms=500, hard_ms=2_000)


@pytest.mark.parametrize(("soft_ms", "hard_ms"), [(0, 10), (-1, 10), (11, 10), (1, 0)])
def test_a_budget_that_makes_no_sense_is_refused(soft_ms: int, hard_ms: int):
    with pytest.raises(ValueError, match="0 < soft_ms <= hard_ms"):
        Budget(soft_ms, hard_ms)


@pytest.mark.parametrize("outcome", list(Outcome))
def test_only_ok_slow_and_empty_have_data(outcome: Outcome):
    envelope = Envelope(tool="t", outcome=outcome, elapsed_ms=1, budget=BUDGET)
    assert envelope.is_ok == (outcome.value in ("ok", "slow", "empty"))


def test_an_envelope_reads_as_json_by_the_names_of_the_contract():
    envelope = Envelope(
        tool="search", outcome=Outcome.DEGRADED, elapsed_ms=12, budget=BUDGET, message="try later", retryable=True,
        attempts=(Attempt("2026-11-22T12:00:00+00:00", 12, Outcome.DEGRADED, "HTTP 503"),),
        hint=Hint("cache", "stale but there"), request_id="req_1",
    )  # fmt: skip
    assert json.loads(json.dumps(envelope.as_dict())) == {
        "tool": "search", "outcome": "degraded", "data": None, "message": "try later", "retryable": True,
        "elapsed_ms": 12, "budget": {"soft_ms": 500, "hard_ms": 2_000},
        "attempts": [
            {"at": "2026-11-22T12:00:00+00:00", "elapsed_ms": 12, "outcome": "degraded", "message": "HTTP 503"}
        ],
        "hint": {"fallback_to": "cache", "reason": "stale but there"}, "request_id": "req_1",
    }  # fmt: skip
