"""Admins manage people and environments under /people/, by their role in the console."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from runs.access import Role, role_of, visible_environments
from runs.models import Environment
from tests.cast import AgentCaller, make_person
from tests.pages.reading import html_of

SignIn = Callable[[User], Client]
PAGES = ["/people/", "/people/auth/user/", "/people/auth/user/add/", "/people/runs/environment/"]


@pytest.mark.parametrize("path", PAGES)
def test_an_admin_by_group_gets_in_without_being_djangos_staff(path: str, admin: User, sign_in: SignIn):
    assert not admin.is_staff
    assert sign_in(admin).get(path).status_code == 200


@pytest.mark.parametrize("path", PAGES)
def test_nobody_else_does_not_even_djangos_staff(path: str, operator: User, sign_in: SignIn):
    operator.is_staff = True
    operator.save()
    assert sign_in(operator).get(path).status_code == 302


def test_an_admin_makes_an_operator(admin: User, sign_in: SignIn):
    client, password = sign_in(admin), "a completely different phrase"
    made = {"username": "nils", "password1": password, "password2": password, "usable_password": "true"}
    assert client.post("/people/auth/user/add/", made).status_code == 302
    nils = User.objects.get(username="nils")
    assert role_of(nils) is Role.NOBODY
    change = {"username": "nils", "is_active": "on", "groups": [Group.objects.get(name="operator").id]}
    assert client.post(f"/people/auth/user/{nils.id}/change/", change).status_code == 302
    assert role_of(User.objects.get(username="nils")) is Role.OPERATOR


def test_an_admin_restricts_an_environment_to_its_members(admin: User, sign_in: SignIn):
    member, other = make_person("mia", "viewer"), make_person("ole", "viewer")
    form = {"is_restricted": "on", "members": [member.id], "retention_days": "7"}
    assert sign_in(admin).post("/people/runs/environment/prod/change/", form).status_code == 302
    assert Environment.objects.get(name="prod").retention_days == 7
    assert "prod" in visible_environments(member)
    assert "prod" not in visible_environments(other)


def test_an_environment_with_agents_is_not_deleted(agent: AgentCaller, admin: User, sign_in: SignIn):
    page = html_of(sign_in(admin).post("/people/runs/environment/dev/delete/", {"post": "yes"}))
    assert "would require deleting" in page or "protected" in page
    assert Environment.objects.filter(name="dev").exists()
