"""People close incidents, with a reason that is kept; a secret that comes back opens its incident again."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client

from approvals.models import AuditEntry
from runs.models import Environment
from tests.cast import AgentCaller
from tests.leaks.findings import BEARER, TOKEN, incidents, leak
from tests.pages.reading import html_of

SignIn = Callable[[User], Client]


def close(client: Client, reason: str = "rotated") -> int:
    return client.post(f"/traces/leaks/{incidents()[0].id}/close", {"reason": reason}).status_code


def test_an_operator_closes_with_a_reason_that_is_audited(agent: AgentCaller, operator: User, sign_in: SignIn):
    leak(agent, result=BEARER)
    assert close(sign_in(operator)) == 302
    (incident,) = incidents()
    assert (incident.is_open, incident.closed_reason) == (False, "rotated")
    entry = AuditEntry.objects.get(token="LEAK_INCIDENT_CLOSED")
    assert entry.object == f"leak:{incident.id}"
    assert "rotated" in entry.data


def test_no_reason_no_closing(agent: AgentCaller, operator: User, sign_in: SignIn):
    leak(agent, result=BEARER)
    assert close(sign_in(operator), " ") == 400
    assert incidents()[0].is_open


def test_a_viewer_may_look_and_not_close(agent: AgentCaller, viewer: User, sign_in: SignIn):
    leak(agent, result=BEARER)
    client = sign_in(viewer)
    assert close(client) == 403
    assert "An operator can close it" in html_of(client.get(f"/traces/leaks/{incidents()[0].id}/"))


def test_the_second_to_close_is_told_who_was_first(agent: AgentCaller, operator: User, admin: User, sign_in: SignIn):
    leak(agent, result=BEARER)
    close(sign_in(operator))
    assert close(sign_in(admin)) == 409


def test_a_secret_that_comes_back_opens_its_incident_again(agent: AgentCaller, operator: User, sign_in: SignIn):
    leak(agent, result=BEARER)
    close(sign_in(operator))
    leak(agent, result=BEARER)
    (incident,) = incidents()
    assert incident.is_open
    assert [step["what"] for step in incident.history] == ["closed", "seen again"]


def test_the_pages_show_the_source_and_not_the_secret(agent: AgentCaller, viewer: User, sign_in: SignIn):
    run = leak(agent, result=BEARER)
    client = sign_in(viewer)
    pages = [html_of(client.get(path)) for path in ("/traces/leaks/", f"/traces/leaks/{incidents()[0].id}/")]
    assert all("result.headers.Authorization" in page and "lookup_order" in page for page in pages)
    assert f"/runs/{run}/?span=" in pages[1]
    assert not any(TOKEN in page for page in pages)


def test_every_page_says_so_while_a_p1_is_open(agent: AgentCaller, viewer: User, operator: User, sign_in: SignIn):
    leak(agent, message=f"cloned with {TOKEN}")
    assert "A secret leaked" not in html_of(sign_in(viewer).get("/settings/"))
    leak(agent, result=BEARER)
    assert "A secret leaked" in html_of(sign_in(viewer).get("/settings/"))
    close(sign_in(operator))
    assert "A secret leaked" not in html_of(sign_in(viewer).get("/settings/"))


@pytest.mark.parametrize("path", ["/traces/leaks/", "/traces/leaks/{}/", "/settings/"])
def test_a_restricted_environments_leaks_are_for_its_members(
    path: str, agent: AgentCaller, viewer: User, sign_in: SignIn
):
    leak(agent, result=BEARER)
    Environment.objects.filter(name="dev").update(is_restricted=True)
    page = html_of(sign_in(viewer).get(path.format(incidents()[0].id)))
    assert "lookup_order" not in page
    assert "A secret leaked" not in page
