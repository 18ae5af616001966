"""What every page has around it."""

import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client, RequestFactory

from agentconsole.errors import InternalError, error_response
from runs.models import Environment
from runs.shell import SECTIONS
from runs.wording import environment_role
from tests.pages.reading import html_of

SignIn = Callable[[User], Client]
PAGES = {
    "/runs/": "Runs",
    "/runs/?environment=prod": "Runs in prod",
    "/traces/": "Traces",
    "/traces/?token=ROUTER_DECISION": "ROUTER_DECISION",
    "/agents/": "Agents",
    "/agents/new/": "New instance",
    "/settings/": "Settings",
    "/settings/password": "Change your password",
    "/search/?q=nothing-like-it": "Search: nothing-like-it",
}


@pytest.mark.parametrize("path", PAGES)
def test_a_title_says_what_the_page_is_and_the_rail_where(path: str, admin: User, sign_in: SignIn):
    page = html_of(sign_in(admin).get(path))
    assert f"<title>{PAGES[path]} · Agent Console</title>" in page
    section = "/" + path.split("/")[1] + "/"
    is_in_rail = section in {section.path for section in SECTIONS}
    assert (f'<a href="{section}" aria-current="page">' in page) == is_in_rail


@pytest.mark.parametrize("path", PAGES)
def test_no_page_needs_what_its_csp_forbids(path: str, admin: User, sign_in: SignIn):
    response = sign_in(admin).get(path)
    assert "'unsafe-inline'" not in response.headers["Content-Security-Policy"]
    page = html_of(response)
    assert not re.search(r"<[^>]+\s(style|on\w+)=", page)
    assert all("src=" in tag or "application/json" in tag for tag in re.findall(r"<script[^>]*>", page))


def test_the_environments_that_one_sees_are_chips_in_their_colour(viewer: User, sign_in: SignIn):
    Environment.objects.create(name="prod-eu")
    page = html_of(sign_in(viewer).get("/agents/"))
    assert '<span class="env" data-env="prod">prod-eu</span>' in page


@pytest.mark.parametrize(
    ("name", "role"),
    [("prod", "prod"), ("production", "prod"), ("prod-eu", "prod"), ("staging.2", "staging"), ("dev_ada", "dev"),
     ("nonprod", "other"), ("qa", "other"), ("product", "other")],
)  # fmt: skip
def test_an_environment_is_coloured_by_the_first_part_of_its_name(name: str, role: str):
    assert environment_role(name) == role


def test_a_page_of_one_environment_says_so_on_its_body(viewer: User, sign_in: SignIn):
    assert '<body data-env="prod">' in html_of(sign_in(viewer).get("/runs/?environment=prod"))


def test_an_error_page_is_drawn_without_the_database(rf: RequestFactory):
    request = rf.get("/runs/", headers={"Accept": "text/html"})
    # Without the `db` fixture, pytest-django refuses every query.
    page = html_of(error_response(request, InternalError("This is a bug in the console.")))
    assert "<title>The console broke · Agent Console</title>" in page
    assert "This is a bug in the console." in page


def test_an_error_page_carries_the_request_id_to_report(viewer: User, sign_in: SignIn):
    response = sign_in(viewer).get("/runs/?status=broken", headers={"X-Request-ID": "req-to-report"})
    assert "<code data-copy>req-to-report</code>" in html_of(response)


def test_the_login_page_says_that_a_password_was_wrong(viewer: User):
    response = Client().post("/login/", {"username": "vera", "password": "wrong"})
    assert 'role="alert"' in html_of(response)
    assert 'value="vera"' in html_of(response)


def test_the_start_page_is_the_run_list(viewer: User, sign_in: SignIn):
    assert sign_in(viewer).get("/").headers["Location"] == "/runs/"
