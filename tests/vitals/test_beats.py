"""Beats by the ingest: the newest wins, and the console's clock alone says who lives."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from agentconsole.protocol.times import iso
from runs.models import AgentInstance, InstanceBeat
from runs.vitals import standing_of
from tests.cast import AgentCaller, make_agent
from tests.vitals.beats import Item, beat, component, rejected

YEAR_S = 31_536_000


def state_of(agent: AgentCaller, after_s: float = 0) -> str:
    return standing_of(
        AgentInstance.objects.get(id=agent.instance.id), timezone.now() + timedelta(seconds=after_s)
    ).word


def send_at(agent: AgentCaller, sent_at: datetime, *items: Item) -> dict[str, Any]:
    """As the SDK sends them: the batch says when it was sent."""
    body = json.dumps({"sent_at": iso(sent_at), "items": list(items)})
    answer: dict[str, Any] = (
        Client().post("/api/v1/ingest", body, content_type="application/json", headers=agent.headers).json()
    )
    return answer


def test_an_instance_is_ready_only_when_each_critical_component_is_proven(agent: AgentCaller):
    boot = str(uuid4())
    agent.send(beat(component(age_s=None), component("wiki"), boot=boot))
    assert state_of(agent) == "not_ready"
    agent.send(beat(component(age_s=1), component("wiki"), boot=boot, number=2, runs=1))
    assert state_of(agent) == "ready"
    agent.send(beat(component(age_s=1, failure="closed"), component("wiki"), boot=boot, number=3))
    assert state_of(agent) == "not_ready"


def test_an_instance_that_falls_silent_is_gone_when_its_lease_is_over(agent: AgentCaller):
    agent.send(beat(lease_s=3))
    assert [state_of(agent, 2), state_of(agent, 4)] == ["idle", "gone"]


def test_a_goodbye_is_no_death(agent: AgentCaller):
    boot = str(uuid4())
    agent.send(beat(boot=boot))
    agent.send(beat(boot=boot, number=2, ended=True))
    assert [state_of(agent), state_of(agent, 9_000)] == ["stopped", "stopped"]
    agent.send(beat())
    assert state_of(agent) == "idle"


def test_a_beat_leaves_one_row_however_many_come(agent: AgentCaller):
    boot = str(uuid4())
    answer = agent.send(*(beat(component(), boot=boot, number=number) for number in range(50))).json()
    assert (answer["accepted"], answer["duplicates"]) == (50, 0)
    assert InstanceBeat.objects.count() == 1


def test_what_was_overtaken_changes_nothing(agent: AgentCaller):
    boot = str(uuid4())
    old, new = beat(component(failure="closed"), boot=boot, number=4), beat(component(), boot=boot, number=5)
    agent.send(new, old)
    answer = agent.send(old, new).json()
    assert (answer["accepted"], answer["duplicates"]) == (0, 2)
    assert state_of(agent) == "idle"


def test_an_old_process_told_again_does_not_come_back(agent: AgentCaller):
    old = beat(component(failure="closed"))
    agent.send(old)
    agent.send(beat(component()))
    agent.send(old)
    assert state_of(agent) == "idle"


def test_what_waited_at_the_sender_is_as_old_as_it_waited(agent: AgentCaller):
    now = datetime.now(UTC)
    send_at(agent, now, beat(at=iso(now - timedelta(minutes=5))))
    assert state_of(agent) == "gone"


def test_a_dead_process_s_journal_does_not_bury_the_one_that_lives(agent: AgentCaller):
    now = datetime.now(UTC)
    agent.send(beat(component(), runs=1))
    send_at(agent, now, beat(component(failure="closed"), at=iso(now - timedelta(minutes=5)), ended=True))
    assert state_of(agent) == "ready"


@pytest.mark.parametrize("skew_s", [-YEAR_S, -3_600, 3_600, 82_800])
def test_a_wrong_clock_makes_nobody_look_alive_or_dead(skew_s: float, agent: AgentCaller):
    wrong = datetime.now(UTC) + timedelta(seconds=skew_s)
    send_at(agent, wrong, beat(component(), at=iso(wrong), lease_s=30))
    assert [state_of(agent, 10), state_of(agent, 31)] == ["idle", "gone"]
    assert InstanceBeat.objects.get().beat_at <= timezone.now()


def test_a_clock_that_was_set_right_is_believed_at_once(agent: AgentCaller):
    ahead, boot = datetime.now(UTC) + timedelta(hours=20), str(uuid4())
    send_at(agent, ahead, beat(component(failure="closed"), at=iso(ahead), boot=boot))
    send_at(agent, datetime.now(UTC), beat(component(), boot=boot, number=2))
    assert state_of(agent) == "idle"


def test_a_clock_a_year_ahead_is_refused(agent: AgentCaller):
    ahead = datetime.now(UTC) + timedelta(days=365)
    answer = send_at(agent, ahead, beat(component(), at=iso(ahead)))
    assert "more than a day ahead" in answer["rejected"][0]["message"]
    assert not InstanceBeat.objects.exists()


def test_a_beat_counts_for_whose_credential_it_carries(agent: AgentCaller):
    other = make_agent("dev", "triage", "two")
    boot = str(uuid4())
    agent.send(beat(component(), boot=boot))
    other.send(beat(component(failure="forged"), boot=boot, number=9, instance=agent.instance.id, agent="triage"))
    assert [state_of(agent), state_of(other)] == ["idle", "not_ready"]


@pytest.mark.parametrize(
    "components",
    [
        [component(f"part {number}") for number in range(10_000)],
        [component(f"part {number}") for number in range(33)],
        [component("x" * 65)],
        [component("x" * 1_000_000)],
        [component("")],
        [component("a\nb")],
        [component("a\x00b")],
        [component("a\u202eb")],
        [component("a\u200bb")],
        [component("twice"), component("twice")],
        [component(age_s=-1)],
        [component(lease_s=0)],
        [component(lease_s=1e9)],
        [component(failure="x" * 501)],
    ],
)  # fmt: skip
def test_what_is_beyond_the_bounds_is_refused_and_changes_nothing(components: list[Item], agent: AgentCaller):
    agent.send(beat(component()))
    assert len(rejected(agent, beat(*components))) == 1
    assert state_of(agent) == "idle"


@pytest.mark.parametrize("more", [{"number": -1}, {"number": None}, {"boot": "me"}, {"lease_s": 0}, {"runs": -1}])
def test_a_beat_that_makes_no_sense_is_refused(more: dict[str, Any], agent: AgentCaller):
    assert len(rejected(agent, beat() | more)) == 1


def test_details_are_redacted_and_stay_on_their_line(agent: AgentCaller):
    key = "Bearer abcdefghijklmnopqrstuvwxyz0123456789"
    agent.send(beat(component(detail=f"Authorization: {key}"), component("b", failure="down\n\u202edlrow")))
    kept = InstanceBeat.objects.get().components
    assert "abcdefghijklmnop" not in json.dumps(kept)
    assert "[REDACTED" in kept[0]["detail"]
    assert kept[1]["failure"] == "down\ufffd\ufffddlrow"


def test_since_when_it_fails_is_kept_while_it_fails(agent: AgentCaller):
    boot = str(uuid4())
    agent.send(beat(component(failure="a"), boot=boot))
    first = InstanceBeat.objects.get().components[0]["failing_since"]
    agent.send(beat(component(failure="b"), boot=boot, number=2))
    assert InstanceBeat.objects.get().components[0]["failing_since"] == first
    agent.send(beat(component(), boot=boot, number=3))
    assert InstanceBeat.objects.get().components[0]["failing_since"] is None


def test_the_processes_that_are_remembered_are_few(agent: AgentCaller):
    for _ in range(12):
        agent.send(beat(component()))
    assert len(InstanceBeat.objects.get().boots) == 8
