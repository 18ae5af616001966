"""What tells the ready from the degraded, the idle from the dead, and the stopped from the gone."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agentconsole.protocol.times import iso
from runs.models import AgentInstance, InstanceBeat
from runs.vitals import standing_of

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
LACKS = {"expected": ["logs", "restart"], "missing": [{"name": "restart", "reason": "no key"}]}


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def part(proven_ago_s: float | None = 1, **more: Any) -> dict[str, Any]:
    proven_at = None if proven_ago_s is None else iso(ago(proven_ago_s))
    given = {"name": "slack", "critical": True, "lease_s": 30, "detail": "", "failure": "", "failing_since": None}
    return {**given, "declared_at": iso(ago(500)), "proven_at": proven_at, **more}


def beating(ago_s: float = 1, *parts: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A beat, so long ago, of a process that is 400 s old and has been idle for 300."""
    told = {
        "beat_at": ago(ago_s),
        "lease_s": 30,
        "boot_at": ago(400),
        "idle_since": ago(300),
        "components": list(parts),
    }
    return {**told, **more}


FAILING = part(failure="closed", failing_since=iso(ago(20)))
CASES: dict[str, tuple[Any, Any, str, datetime | None]] = {
    "never used": ({"last_used_at": None}, None, "unseen", None),
    "used, and no beats": ({}, None, "seen", ago(10)),
    "used, no beats, and tools missing": ({"startup": LACKS, "started_at": ago(50)}, None, "degraded", ago(50)),
    "no beats, and silent for two days": ({"last_used_at": ago(172_800)}, None, "gone", ago(172_800)),
    "alive, no run": ({}, beating(), "idle", ago(300)),
    "alive, idle for long": ({"last_used_at": ago(172_800)}, beating(), "idle", ago(300)),
    "alive, a run": ({}, beating(runs=1), "ready", ago(400)),
    "alive at the end of its lease": ({}, beating(30), "idle", ago(300)),
    "silent past its lease": ({}, beating(31), "gone", ago(31)),
    "silent past its lease, with tools missing": ({"startup": LACKS}, beating(31), "gone", ago(31)),
    "a beat from a year ahead": ({}, beating(-31_536_000), "gone", ago(-31_536_000)),
    "said goodbye": ({}, beating(5, stopped_at=ago(5)), "stopped", ago(5)),
    "said goodbye, long ago": ({}, beating(9_000, stopped_at=ago(9_000)), "stopped", ago(9_000)),
    "a component proven": ({}, beating(1, part(), runs=1), "ready", ago(400)),
    "a component declared, never proven": ({}, beating(1, part(None)), "not_ready", ago(500)),
    "a component's proof ran out": ({}, beating(1, part(40), runs=1), "not_ready", ago(10)),
    "a component failing": ({}, beating(1, FAILING), "not_ready", ago(20)),
    "a component failing that is not critical": ({}, beating(1, FAILING | {"critical": False}), "idle", ago(300)),
    "two components failing": ({}, beating(1, FAILING, part(None)), "not_ready", ago(500)),
    "tools missing": ({"startup": LACKS, "started_at": ago(50)}, beating(), "degraded", ago(50)),
    "tools missing and a component failing": ({"startup": LACKS}, beating(1, FAILING), "not_ready", ago(20)),
    "a component failing, and silent": ({}, beating(31, FAILING), "gone", ago(31)),
    "revoked, though it beats": ({"revoked_at": ago(3)}, beating(), "revoked", ago(3)),
    "expired, though it beats": ({"expires_at": ago(3)}, beating(), "expired", ago(3)),
}


@pytest.mark.parametrize("case", CASES)
def test_each_state_has_one_word_and_a_time(case: str):
    fields, told, word, since = CASES[case]
    instance = AgentInstance(**{"id": 1, "last_used_at": ago(10), **fields})
    if told:
        instance.beat = InstanceBeat(instance=instance, **told)
    else:
        instance._state.fields_cache["beat"] = None  # as a select_related that found none
    standing = standing_of(instance, NOW)
    assert (standing.word, standing.since) == (word, since)


def test_what_is_wrong_comes_first():
    instance = AgentInstance(id=1, last_used_at=NOW)
    parts = [part(name="a"), part(40, name="b", critical=False), part(None, name="c")]
    instance.beat = InstanceBeat(instance=instance, **beating(1, *parts))
    standing = standing_of(instance, NOW)
    assert [one.name for one in standing.parts] == ["c", "b", "a"]
    assert [one.name for one in standing.unproven] == ["c"]
    assert standing.parts[1].sentence == "not proven for 40 s, a proof counts for 30 s"


@pytest.mark.parametrize(
    ("told", "is_degraded"), [(beating(), True), (beating(99), True), (beating(1, stopped_at=ago(1)), True)]
)
def test_what_it_lacks_is_told_also_of_the_dead(told: dict[str, Any], is_degraded: bool):
    instance = AgentInstance(id=1, last_used_at=NOW, startup=LACKS)
    instance.beat = InstanceBeat(instance=instance, **told)
    assert standing_of(instance, NOW).is_degraded is is_degraded
    assert str(standing_of(instance, NOW).lacks) == "restart"
