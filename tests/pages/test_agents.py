"""Agents: what state they are in, and the credentials that admins give and take."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from runs.models import AgentInstance, Environment
from runs.queries.agents import agent_page, agent_story, instance_row
from tests.cast import AgentCaller, make_agent
from tests.pages.reading import html_of
from tests.pages.runs import call, send_run

SignIn = Callable[[User], Client]
MISSING = {
    "expected": ["logs", "restart"],
    "loaded": ["logs"],
    "missing": [{"name": "restart", "reason": "no KUBECONFIG"}],
}


def used(agent: AgentCaller, **fields: Any) -> AgentInstance:
    """The agent's instance as it is after a sign of life and these changes."""
    AgentInstance.objects.filter(id=agent.instance.id).update(**{"last_used_at": timezone.now(), **fields})
    return AgentInstance.objects.get(id=agent.instance.id)


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({}, "seen"),
        ({"last_used_at": None}, "unseen"),
        ({"startup": MISSING}, "degraded"),
        ({"last_used_at": timezone.now() - timedelta(days=2)}, "gone"),
        ({"startup": MISSING, "last_used_at": timezone.now() - timedelta(days=2)}, "gone"),
        ({"expires_at": timezone.now() - timedelta(seconds=1)}, "expired"),
        ({"revoked_at": timezone.now(), "startup": MISSING}, "revoked"),
    ],
)
def test_the_state_of_an_instance_is_one_honest_word(fields: dict[str, Any], state: str, agent: AgentCaller):
    assert instance_row(used(agent, **fields), timezone.now()).state == state


def test_an_agent_is_degraded_if_any_of_its_working_instances_is(agent: AgentCaller):
    used(agent)
    used(make_agent("dev", "triage", "two"), startup=MISSING)
    used(make_agent("dev", "triage", "old"), revoked_at=timezone.now())
    (row,) = agent_page(["dev"], timezone.now()).rows
    assert row.state == "degraded"
    assert len(row.live_instances) == 2


def test_the_list_says_loudly_what_is_missing(agent: AgentCaller, viewer: User, sign_in: SignIn):
    used(agent, startup=MISSING, started_at=timezone.now())
    page = html_of(sign_in(viewer).get("/agents/"))
    assert re.search(r"<b>one</b> is without: <code>restart</code> \(no KUBECONFIG\), since its start", page)


def test_an_agents_page_weighs_how_its_runs_and_calls_went(agent: AgentCaller, viewer: User, sign_in: SignIn):
    send_run(agent, call("ok"), call("ok"), call("ok"), call("timeout"))
    send_run(agent, status="failed")
    story = agent_story("dev", "triage", ["dev"], timezone.now())
    assert dict(story.statuses) == {"succeeded": 1, "failed": 1}
    assert dict(story.outcomes) == {"ok": 3, "timeout": 1}
    page = html_of(sign_in(viewer).get("/agents/dev/triage/"))
    assert "ok 75 %" in page
    assert "timeout 25 %" in page


def test_agents_of_other_environments_are_not_shown(foreign_agent: AgentCaller, viewer: User, sign_in: SignIn):
    Environment.objects.filter(name="prod").update(is_restricted=True)
    assert "triage" not in html_of(sign_in(viewer).get("/agents/"))
    assert sign_in(viewer).get("/agents/prod/triage/").status_code == 404


def test_the_list_pages_by_name(agent: AgentCaller, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("runs.queries.agents.AGENTS_A_PAGE", 2)
    for environment, name in (("dev", "a"), ("prod", "a"), ("prod", "b")):
        make_agent(environment, name)
    first = agent_page(["dev", "prod"], timezone.now())
    second = agent_page(["dev", "prod"], timezone.now(), first.next_after)
    names = [[f"{row.agent.environment_id}/{row.agent.name}" for row in page.rows] for page in (first, second)]
    assert names == [["dev/a", "dev/triage"], ["prod/a", "prod/b"]]
    assert second.next_after == ""


def test_the_pages_cost_few_queries(agent: AgentCaller, django_assert_num_queries: Callable[..., Any]):
    for name in ("a", "b", "c"):
        send_run(make_agent("dev", name))
    with django_assert_num_queries(3):
        assert len(agent_page(["dev"], timezone.now()).rows) == 4
    with django_assert_num_queries(4):
        agent_story("dev", "a", ["dev"], timezone.now())


def test_a_new_credential_is_shown_once_and_works(admin: User, sign_in: SignIn):
    form = {"environment": "dev", "agent": "deployer", "instance": "host-1", "days": "90"}
    response = sign_in(admin).post("/agents/new/", form)
    token = re.search(r"ac_[\w-]{43}", html_of(response))
    assert token
    assert "no-store" in response.headers["Cache-Control"]
    made = AgentInstance.objects.get(name="host-1")
    assert made.created_by == "user:ada"
    assert made.expires_at is not None
    assert abs(made.expires_at - timezone.now() - timedelta(days=90)) < timedelta(minutes=1)
    assert send_run(AgentCaller(made, token[0]))
    assert token[0] not in html_of(sign_in(admin).get("/agents/dev/deployer/"))


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"agent": "Not A Name"}, 400),
        ({"instance": "one"}, 409),
        ({"environment": "mars"}, 404),
        ({"days": "7000"}, 400),
    ],
)
def test_a_refused_credential_says_why_and_keeps_what_was_typed(
    change: dict[str, str], status: int, agent: AgentCaller, admin: User, sign_in: SignIn
):
    form = {"environment": "dev", "agent": "triage", "instance": "two", "days": "", **change}
    response = sign_in(admin).post("/agents/new/", form)
    assert response.status_code == status
    page = html_of(response)
    assert 'role="alert"' in page
    assert f'name="agent" value="{form["agent"]}"' in page


def test_rotating_gives_a_new_token_and_stops_the_old_one(agent: AgentCaller, admin: User, sign_in: SignIn):
    client = sign_in(admin)
    assert "stops at once" in html_of(client.get(f"/agents/instances/{agent.instance.id}/rotate/sure"))
    page = html_of(client.post(f"/agents/instances/{agent.instance.id}/rotate"))
    token = re.search(r"ac_[\w-]{43}", page)
    assert token
    assert agent.send().status_code == 401
    assert AgentCaller(agent.instance, token[0]).send().status_code == 200


def test_revoking_stops_the_token(agent: AgentCaller, admin: User, sign_in: SignIn):
    response = sign_in(admin).post(f"/agents/instances/{agent.instance.id}/revoke")
    assert response.headers["Location"] == "/agents/dev/triage/"
    assert agent.send().status_code == 401


@pytest.mark.parametrize("verb", ["rotate", "revoke"])
def test_only_admins_touch_credentials(verb: str, agent: AgentCaller, operator: User, sign_in: SignIn):
    client = sign_in(operator)
    path = f"/agents/instances/{agent.instance.id}/{verb}"
    assert [client.post(path).status_code, client.get(f"{path}/sure").status_code] == [403, 403]
    assert client.post("/agents/new/", {}).status_code == 403
    assert agent.send().status_code == 200
    assert "Revoke" not in html_of(client.get("/agents/dev/triage/"))
