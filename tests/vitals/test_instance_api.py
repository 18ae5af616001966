"""An agent's own programs read how their instance stands."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tests.cast import AgentCaller
from tests.vitals.beats import beat, component, startup


def read(agent: AgentCaller) -> dict[str, Any]:
    answer: dict[str, Any] = Client().get("/api/v1/instance", headers=agent.headers).json()
    return answer


def test_it_says_whether_it_is_ready_and_what_is_not(agent: AgentCaller):
    assert (read(agent)["ready"], read(agent)["state"]) == (False, "seen")
    agent.send(startup("restart"), beat(component("model gateway"), component("slack", failure="closed")))
    told = read(agent)
    assert (told["ready"], told["state"], told["instance"]) == (False, "not_ready", "one")
    assert told["missing_tools"] == [{"name": "restart", "reason": "no key"}]
    assert [(part["name"], part["status"]) for part in told["components"]] == [
        ("slack", "failing"),
        ("model gateway", "ok"),
    ]
    agent.send(beat(component("model gateway")))
    assert (read(agent)["ready"], read(agent)["state"]) == (True, "degraded")


def test_nobody_reads_it_without_the_credential(agent: AgentCaller):
    assert Client().get("/api/v1/instance").status_code == 401
    assert Client().get("/api/v1/instance", headers={"Authorization": "Bearer ac_no"}).status_code == 401


def test_it_has_a_rate(agent: AgentCaller, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("runs.api.INSTANCE_READS", 10)
    codes = {Client().get("/api/v1/instance", headers=agent.headers).status_code for _ in range(30)}
    assert 429 in codes


def test_it_costs_few_queries(agent: AgentCaller, django_assert_max_num_queries: Callable[..., Any]):
    agent.send(beat(component()))
    with django_assert_max_num_queries(2):
        read(agent)
