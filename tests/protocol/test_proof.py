"""One rule says whether a part is proven, for the console's parts and for those of agents."""

from datetime import UTC, datetime, timedelta

import pytest

from agentconsole.protocol.proof import Evidence, judge

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("evidence", "status", "since"),
    [
        (Evidence(ago(0), 30), "ok", None),
        (Evidence(ago(30), 30), "ok", None),
        (Evidence(ago(31), 30), "stale", ago(1)),
        (Evidence(ago(-5), 30), "ok", None),
        (Evidence(ago(-6), 30), "failing", ago(-36)),
        (Evidence(ago(-86_400 * 365), 30), "failing", ago(-86_400 * 365 - 30)),
        (Evidence(None, 30), "failing", None),
        (Evidence(None, 30, watched_since=ago(99)), "failing", ago(99)),
        (Evidence(ago(1), 30, failure="401"), "failing", ago(-29)),
        (Evidence(ago(10), 30, failure="401", failing_since=ago(9)), "failing", ago(9)),
        (Evidence(ago(90), 30, failure="401", failing_since=ago(9)), "failing", ago(60)),
    ],
)
def test_a_proof_counts_within_its_lease_and_no_longer(evidence: Evidence, status: str, since: datetime | None):
    judged = judge(evidence, NOW)
    assert (judged.status, judged.since) == (status, since)


def test_the_detail_is_of_what_decided():
    assert judge(Evidence(ago(1), 30, "as U123"), NOW).detail == "as U123"
    assert judge(Evidence(ago(1), 30, "as U123", "closed"), NOW).detail == "closed"
    assert (
        judge(Evidence(None, 30, unproven="declared, and not proven yet"), NOW).detail == "declared, and not proven yet"
    )
