"""A person's own settings."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client

from runs.models import Environment
from tests.cast import PASSWORD
from tests.pages.reading import html_of

SignIn = Callable[[User], Client]


def test_the_page_says_who_one_is_and_what_one_may_do(operator: User, sign_in: SignIn):
    page = html_of(sign_in(operator).get("/settings/"))
    assert "omar" in page
    assert "operator: look, and act on runs" in page


def test_only_admins_are_shown_the_way_to_people_and_environments(admin: User, viewer: User, sign_in: SignIn):
    assert "/people/auth/user/" in html_of(sign_in(admin).get("/settings/"))
    assert "/people/" not in html_of(sign_in(viewer).get("/settings/"))


def test_environments_are_listed_with_their_retention(viewer: User, sign_in: SignIn):
    Environment.objects.filter(name="dev").update(retention_days=3)
    Environment.objects.filter(name="prod").update(is_restricted=True)
    page = html_of(sign_in(viewer).get("/settings/"))
    assert "<td>3 days</td>" in page
    assert ">prod<" not in page


def test_a_password_is_changed_and_this_browser_stays_signed_in(viewer: User, sign_in: SignIn):
    client, other = sign_in(viewer), sign_in(viewer)
    new = "a completely different phrase"
    form = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert client.post("/settings/password", form).headers["Location"] == "/settings/"
    assert client.get("/settings/").status_code == 200
    assert other.get("/settings/").status_code == 302
    assert Client().login(username="vera", password=new)


def test_a_short_password_is_refused_with_the_reason(viewer: User, sign_in: SignIn):
    form = {"old_password": PASSWORD, "new_password1": "short", "new_password2": "short"}
    page = html_of(sign_in(viewer).post("/settings/password", form))
    assert "at least 12 characters" in page
    assert Client().login(username="vera", password=PASSWORD)


@pytest.mark.parametrize("theme", ["auto", "light", "dark"])
def test_a_theme_is_kept_in_a_cookie_and_rendered_by_the_server(theme: str, viewer: User, sign_in: SignIn):
    client = sign_in(viewer)
    client.post("/settings/theme", {"theme": theme})
    assert f'<html lang="en" data-theme="{theme}">' in html_of(client.get("/settings/"))


def test_the_theme_switch_leads_back_to_where_it_was_used_and_nowhere_else(viewer: User, sign_in: SignIn):
    def target(referer: str) -> str:
        return (
            sign_in(viewer).post("/settings/theme", {"theme": "dark"}, headers={"Referer": referer}).headers["Location"]
        )

    assert target("http://testserver/runs/?status=failed") == "/runs/?status=failed"
    assert target("https://evil.example//evil.example/x") == "/runs/"
    assert target("") == "/runs/"


def test_an_unknown_theme_is_not_rendered(viewer: User, sign_in: SignIn):
    client = sign_in(viewer)
    client.cookies["theme"] = 'x" onload="alert(1)'
    assert 'data-theme="auto"' in html_of(client.get("/settings/"))
