"""Django's admin, which the console uses for people and environments, under the console's CSP."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import Trouble
from tests.browser.console import WebConsole

PATHS = [
    "/people/",
    "/people/auth/user/",
    "/people/auth/user/add/",
    "/people/auth/user/1/change/",
    "/people/runs/environment/",
]


@pytest.mark.parametrize("path", PATHS)
def test_its_pages_work_without_trouble_and_axe_finds_nothing(
    path: str, server: WebConsole, page: Page, trouble: Trouble
):
    server.login(page)
    page.goto(server.url + path)
    expect(page.locator("#content h1")).to_be_visible()
    assert trouble.left == []
    found = Axe().run(page)
    # Django's forms.css imports another sheet, which axe copies into an inline style: the CSP refuses axe, not the page.
    trouble.allow("Applying inline style")
    trouble.allow("preload assets")
    assert found.violations_count == 0, found.generate_report()
