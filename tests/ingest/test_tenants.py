"""A credential opens its own agent's runs in its own environment, and nothing else."""

import pytest
from django.contrib.auth.models import User

from runs.models import Environment, Run, Span
from tests.cast import AgentCaller, make_agent
from tests.ingest.items import ended, event, new_run, run_finished, run_started, span, tick

pytestmark = pytest.mark.django_db


def test_the_environment_comes_from_the_credential_never_from_the_payload(agent: AgentCaller):
    run = new_run()
    agent.send(run_started(run, environment="prod", agent="deployer", actor="root"))
    stored = Run.objects.get(id=run)
    assert (stored.environment_id, stored.agent.name, stored.actor) == ("dev", "triage", "agent:triage/one")


def test_another_environments_run_can_be_neither_written_nor_ended(agent: AgentCaller, foreign_agent: AgentCaller):
    run = new_run()
    call = span(run)
    foreign_agent.send(run_started(run, query="theirs"), call)
    before = Run.objects.values().get(id=run)
    tries = [run_started(run, query="mine"), tick(run), event(run), ended(call, "error"), run_finished(run)]
    body = agent.send(*tries).json()
    assert (body["accepted"], {one["code"] for one in body["rejected"]}) == (0, {"run_not_yours"})
    assert Run.objects.values().get(id=run) == before
    assert Span.objects.get(run_id=run).outcome == "running"


def test_another_agent_of_the_same_environment_is_refused_alike(agent: AgentCaller):
    run = new_run()
    agent.send(run_started(run))
    other = make_agent("dev", "deployer")
    assert other.send(run_finished(run)).json()["rejected"][0]["code"] == "run_not_yours"


def test_another_instance_of_the_same_agent_may_go_on(agent: AgentCaller):
    run = new_run()
    agent.send(run_started(run))
    second = make_agent("dev", "triage", "two")
    assert second.send(run_finished(run)).json()["accepted"] == 1


def test_the_same_span_and_event_ids_in_another_run_are_other_rows(agent: AgentCaller, foreign_agent: AgentCaller):
    mine, theirs = new_run(), new_run()
    call, record = span(mine), event(mine)
    foreign_agent.send({**call, "run": theirs}, {**record, "run": theirs})
    assert agent.send(call, record).json()["accepted"] == 2
    assert Span.objects.filter(span_id=call["id"]).count() == 2


def test_a_person_reads_only_runs_of_environments_open_to_them(foreign_agent: AgentCaller, viewer: User, sign_in):
    run = new_run()
    foreign_agent.send(run_started(run))
    browser, url = sign_in(viewer), f"/api/v1/runs/{run}/log"
    assert browser.get(url).json()["run"]["id"] == run
    Environment.objects.filter(name="prod").update(is_restricted=True)
    refused = browser.get(url)
    assert (refused.status_code, refused.json()["error"]["code"]) == (404, "not_found")
    Environment.objects.get(name="prod").members.add(viewer)
    assert browser.get(url).status_code == 200


def test_a_refusal_reads_the_same_for_a_run_that_is_not_there(viewer: User, sign_in, foreign_agent: AgentCaller):
    Environment.objects.filter(name="prod").update(is_restricted=True)
    run = new_run()
    foreign_agent.send(run_started(run))
    browser = sign_in(viewer)
    there, not_there = (browser.get(f"/api/v1/runs/{one}/log").json()["error"] for one in (run, new_run()))
    assert (there["code"], there["message"]) == (not_there["code"], not_there["message"])


def test_without_a_role_nothing_is_seen(agent: AgentCaller, stranger: User, sign_in, client):
    run = new_run()
    agent.send(run_started(run))
    assert sign_in(stranger).get(f"/api/v1/runs/{run}/log").status_code == 404
    assert client.get(f"/api/v1/runs/{run}/log").status_code == 401


def test_an_agents_credential_reads_nothing(agent: AgentCaller, client):
    run = new_run()
    agent.send(run_started(run))
    assert client.get(f"/api/v1/runs/{run}/log", headers=agent.headers).status_code == 401
