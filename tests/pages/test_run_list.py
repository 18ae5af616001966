"""The run list: rows, filters, who may see it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from runs.models import Environment
from tests.cast import AgentCaller, make_agent
from tests.pages.reading import html_of
from tests.pages.runs import call, said, send_run, stay

SignIn = Callable[[User], Client]


def page_of(client: Client, query: str = "") -> str:
    response = client.get(f"/runs/{query}")
    assert response.status_code == 200, response.content
    return html_of(response)


def test_a_row_says_who_asked_for_what_and_how_it_went(agent: AgentCaller, viewer: User, sign_in: SignIn):
    asked: dict[str, Any] = {"transport": "slack", "subject": "dana", "on_behalf_of": "kim", "query": "why is it slow?"}
    run = send_run(agent, call("ok"), call("ok"), call("timeout"), *stay("gather", 60, 58), **asked)
    page = page_of(sign_in(viewer))
    assert f'href="/runs/{run}/"' in page
    assert "why is it slow?" in page
    assert "dana" in page
    assert "→ kim" in page
    assert 'title="2 ok"' in page
    assert 'title="1 timeout"' in page
    assert 'aria-label="gather 2.' in page


@pytest.mark.parametrize(
    "query",
    ["status=failed", "agent=deployer", "environment=prod", "transport=slack", "actor=dana", "actor=kim",
     "outcome=timeout", "token=ROUTER_DECISION", "range=15m"],
)  # fmt: skip
def test_each_filter_narrows_the_list(query: str, environments: None, viewer: User, sign_in: SignIn):
    wanted: dict[str, Any] = {"transport": "slack", "subject": "dana", "on_behalf_of": "kim", "status": "failed"}
    fits = send_run(make_agent("prod", "deployer"), call("timeout"), said("ROUTER_DECISION"), ago_s=60, **wanted)
    other = send_run(make_agent("dev", "triage"), call("ok"), said("RESULT_TRUNCATED"), ago_s=3600)
    page = page_of(sign_in(viewer), f"?{query}")
    assert fits in page
    assert other not in page


def test_filters_add_up_and_each_has_a_chip_that_takes_it_away(agent: AgentCaller, viewer: User, sign_in: SignIn):
    send_run(agent, status="failed")
    page = page_of(sign_in(viewer), "?status=failed&environment=dev")
    assert 'href="?environment=dev" class="icon-button" aria-label="Remove the filter status failed"' in page
    assert 'href="?status=failed" class="icon-button" aria-label="Remove the filter environment dev"' in page


def test_a_filter_that_can_not_be_says_so_instead_of_showing_everything(viewer: User, sign_in: SignIn):
    response = sign_in(viewer).get("/runs/?status=broken")
    assert response.status_code == 400
    assert "status=broken is none of: queued, running" in html_of(response)


def test_the_empty_fields_of_a_form_leave_the_address(viewer: User, sign_in: SignIn):
    response = sign_in(viewer).get("/runs/?status=failed&agent=&token=+&range=")
    assert response.headers["Location"] == "/runs/?status=failed"


def test_a_restricted_environment_is_seen_by_its_members_alone(
    foreign_agent: AgentCaller, viewer: User, operator: User, sign_in: SignIn
):
    run = send_run(foreign_agent)
    prod = Environment.objects.get(name="prod")
    prod.is_restricted = True
    prod.save()
    prod.members.add(operator)
    assert run in page_of(sign_in(operator))
    assert run not in page_of(sign_in(viewer))
    assert sign_in(viewer).get("/runs/?environment=prod").status_code == 404


def test_somebody_without_a_role_is_told_whom_to_ask(stranger: User, sign_in: SignIn):
    response = sign_in(stranger).get("/runs/")
    assert response.status_code == 403
    assert "Ask an admin of this console" in html_of(response)


def test_nobody_is_sent_to_the_login_page_and_back(db: None):
    assert Client().get("/runs/?status=failed").headers["Location"] == "/login/?next=/runs/%3Fstatus%3Dfailed"


def test_an_empty_console_says_how_to_connect_an_agent(viewer: User, sign_in: SignIn):
    page = page_of(sign_in(viewer))
    assert "No run yet" in page
    assert "CONSOLE_TOKEN" in page


def test_a_list_without_a_match_says_what_it_looked_for(agent: AgentCaller, viewer: User, sign_in: SignIn):
    send_run(agent)
    assert "No run fits" in page_of(sign_in(viewer), "?status=cancelled")


def test_a_filter_without_an_index_looks_back_a_week_and_says_so(agent: AgentCaller, viewer: User, sign_in: SignIn):
    old = send_run(agent, ago_s=9 * 86400, transport="slack")
    assert old not in page_of(sign_in(viewer), "?transport=slack")
    assert old in page_of(sign_in(viewer), "?transport=slack&from=2020-01-01T00:00")
    assert "last 7d" in page_of(sign_in(viewer), "?transport=slack")
