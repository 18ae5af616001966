"""An admin gives an agent its credential."""

import httpx
from playwright.sync_api import Page, expect

from tests.browser.console import WebConsole


def answer(server: WebConsole, token: str) -> int:
    """What the ingest says to a credential."""
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.post(f"{server.url}/api/v1/ingest", json={"items": []}, headers=headers).status_code


def test_a_credential_is_made_used_rotated_and_revoked(server: WebConsole, page: Page):
    server.login(page)
    page.goto(f"{server.url}/agents/")
    page.click("text=New instance")
    page.select_option("#environment", "staging")
    page.fill("#agent", "deployer")
    page.fill("#instance", "host-1")
    page.click("text=Make the credential")
    first = page.inner_text("#token")
    assert answer(server, first) == 200
    page.click("text=Done")
    page.click("a.button:has-text('Rotate')")
    page.click("button:text-is('Rotate it')")
    second = page.inner_text("#token")
    assert [answer(server, first), answer(server, second)] == [401, 200]
    page.click("text=Done")
    page.click("text=Revoke >> nth=0")
    page.click("button:text-is('Revoke it')")
    expect(page.locator(".notice:visible").first).to_contain_text("is revoked")
    assert answer(server, second) == 401
