"""The frame of every page: theme, palette, search, keys."""

import re

from playwright.sync_api import Page, expect

from agentconsole.protocol.ids import new_request_id
from tests.browser.console import WebConsole
from tests.ingest.items import new_run, run_started, whole_run


def test_the_theme_switch_works_at_once_and_survives_a_reload_without_a_flash(server: WebConsole, page: Page):
    server.login(page)
    page.click("#person summary")
    page.click("#person >> text=Dark")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    response = page.reload()
    assert response is not None
    assert 'data-theme="dark"' in response.text()


def test_the_palette_goes_to_a_page_by_its_name(server: WebConsole, page: Page):
    server.login(page)
    page.keyboard.press("Control+k")
    page.keyboard.type("agen")
    page.keyboard.press("Enter")
    page.wait_for_url("**/agents/")


def test_the_palette_takes_a_request_id_to_its_run(server: WebConsole, page: Page):
    run, request_id = new_run(), new_request_id()
    server.ingest([run_started(run, request_id=request_id)])
    server.login(page)
    page.keyboard.press("Control+k")
    page.keyboard.type(request_id)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(f"{run}|{request_id}"))


def test_a_slash_and_a_span_id_lead_to_the_span_of_its_run(server: WebConsole, page: Page):
    run = new_run()
    items = whole_run(run)
    server.ingest(items)
    server.login(page)
    page.keyboard.press("/")
    page.keyboard.type(items[2]["id"])
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/runs/{run}/?span={items[2]['id']}")


def test_the_question_mark_shows_the_keys_and_escape_hides_them(server: WebConsole, page: Page):
    server.login(page)
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()


def test_g_and_a_letter_go_to_a_section(server: WebConsole, page: Page):
    server.login(page)
    page.keyboard.press("g")
    page.keyboard.press("t")
    page.wait_for_url("**/traces/")


def test_signing_out_leads_to_the_login_page(server: WebConsole, page: Page):
    server.login(page, "vera", is_fresh=True)
    page.click("#person summary")
    page.click("text=Sign out")
    page.wait_for_url("**/login/")
    page.goto(f"{server.url}/runs/")
    page.wait_for_url("**/login/?next=/runs/")
