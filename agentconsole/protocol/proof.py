"""Whether a part is proven: one rule for the console's own parts and for those that agents declare."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

# What clocks of several machines may differ by. A proof from further ahead would go on counting after its maker is dead.
CLOCKS_DIFFER_S = 5

Status = Literal["ok", "stale", "failing"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a part: its last proof, how long that counts, and what went wrong since.

    `watched_since`: from when on it was to be proven. `unproven`: what it means that it never was.
    """

    proven_at: datetime | None
    lease_s: float
    detail: str = ""
    failure: str = ""
    failing_since: datetime | None = None
    watched_since: datetime | None = None
    unproven: str = "not checked yet"


@dataclass(frozen=True, slots=True)
class Judgement:
    """`ok`, `stale` (proof older than its lease) or `failing` (not proven); `since` when it is not ok."""

    status: Status
    detail: str
    age_s: float | None
    since: datetime | None


def judge(evidence: Evidence, now: datetime) -> Judgement:
    """How a part stands at `now`. A proof counts within its lease only, one dated ahead of `now` does not, and a failure
    outweighs whatever was proven before it."""
    age_s = (now - evidence.proven_at).total_seconds() if evidence.proven_at else None
    status, detail = _status(evidence, age_s)
    return Judgement(status, detail, age_s, None if status == "ok" else _since(evidence))


def lease_used(age_s: float | None, lease_s: float) -> int:
    """How much of its lease a part's evidence has used up, in percent; all of it where there is none."""
    return 100 if age_s is None else max(0, min(100, round(age_s / lease_s * 100)))


def _status(evidence: Evidence, age_s: float | None) -> tuple[Status, str]:
    if evidence.failure:
        return "failing", evidence.failure
    if age_s is None:
        return "failing", evidence.unproven
    if age_s < -CLOCKS_DIFFER_S:
        return "failing", f"its proof is dated {-age_s:.0f} s ahead of this process's clock"
    return ("stale" if age_s > evidence.lease_s else "ok"), evidence.detail


def _since(evidence: Evidence) -> datetime | None:
    """From when on it is not proven: its first failure, or the end of its last proof's lease, whichever came first."""
    ran_out = evidence.proven_at + timedelta(seconds=evidence.lease_s) if evidence.proven_at else None
    return min((at for at in (evidence.failing_since, ran_out) if at), default=evidence.watched_since)
