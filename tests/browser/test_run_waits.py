"""A run that waits for a person: seen while it waits and afterwards, live, in the list, without JavaScript."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from runs.wait_spans import wait_span_id
from tests.browser.console import WebConsole
from tests.run_page.story import Story, rich_run

NAME = "approval: restart checkout"
WORDS = {"ok": ("approved", "approved by omar"), "rejected": ("rejected", "nobody decided in time")}


@pytest.fixture
def action_id() -> str:
    return str(uuid.uuid4())


@pytest.fixture
def story(page: Page, server: WebConsole, action_id: str) -> Story:
    """A run that asked for an approval; vera is signed in."""
    server.login(page, "vera")
    story = rich_run(datetime.now(UTC) - timedelta(seconds=60))
    server.ingest(story.until(50))
    server.begin_wait(story.run_id, action_id, NAME)
    return story


def opened(page: Page, server: WebConsole, story: Story, query: str = "", width: int = 1440) -> Page:
    page.set_viewport_size({"width": width, "height": 3000})  # rows out of sight are not in the page
    page.goto(f"{server.url}/runs/{story.run_id}/{query}")
    page.wait_for_selector("#run[data-loaded]")
    return page


def wait_row(page: Page) -> Locator:
    return page.locator(".span-row", has=page.get_by_role("link", name=NAME, exact=True))


def test_its_row_is_told_by_a_hand_and_leads_to_the_decision(page: Page, server: WebConsole, story: Story, action_id):
    row = wait_row(opened(page, server, story))
    expect(row.locator(".kind use")).to_have_attribute("href", "/static/vendor/lucide/sprite.svg#hand")
    expect(row.locator(".badge")).to_have_text("waiting")
    expect(row.locator(".span-track rect.bar-wait")).to_have_attribute("fill", "url(#hatching)")
    expect(row.get_by_role("link", name="decide")).to_have_attribute("href", f"/approvals/{action_id}/")
    expect(page.locator("[data-head=status]")).to_have_text("waiting")
    expect(page.locator("#ribbon-bands .wait")).to_have_count(1)


@pytest.mark.parametrize("outcome", WORDS)
def test_a_decision_is_seen_as_it_comes_and_the_wait_stays(
    page: Page, server: WebConsole, story: Story, action_id: str, outcome: str
):
    word, message = WORDS[outcome]
    opened(page, server, story, f"?span={wait_span_id(uuid.UUID(action_id))}")
    drawer = page.locator("#run-drawer")
    expect(drawer.get_by_role("link", name="Decide")).to_have_attribute("href", f"/approvals/{action_id}/")
    server.end_wait(story.run_id, action_id, outcome, message)
    expect(drawer.locator(".drawer-message")).to_have_text(message)
    expect(drawer.get_by_role("link", name="The decision")).to_have_attribute("href", f"/approvals/{action_id}/")
    expect(wait_row(page).locator(".badge")).to_have_text(word)
    expect(page.locator("#ribbon-bands .wait")).to_have_attribute("fill", "url(#hatching)")
    expect(page.locator("[data-head=status]")).to_have_text("running")


def test_the_rows_link_leaves_the_page(page: Page, server: WebConsole, story: Story, action_id: str, trouble):
    trouble.allow("status of 404")
    wait_row(opened(page, server, story)).get_by_role("link", name="decide").click()
    page.wait_for_url(f"**/approvals/{action_id}/")


def test_the_list_shows_the_run_waiting(page: Page, server: WebConsole, story: Story):
    page.goto(f"{server.url}/runs/")
    badge = page.locator(f"#run-{story.run_id} [data-slot=status] .badge")
    expect(badge).to_have_text("waiting")
    expect(badge.locator("use")).to_have_attribute("href", "/static/vendor/lucide/sprite.svg#hand")


def test_it_reads_without_javascript(chromium: Browser, server: WebConsole, story: Story, page: Page, action_id: str):
    plain = chromium.new_context(java_script_enabled=False, storage_state=page.context.storage_state())
    reader = plain.new_page()
    reader.goto(f"{server.url}/runs/{story.run_id}/")
    expect(reader.locator("#ribbon-bands .wait")).to_have_attribute("fill", "url(#hatching)")
    row = wait_row(reader)
    expect(row.locator(".badge")).to_have_text("waiting")
    expect(row.locator("rect.bar-wait")).to_have_count(1)
    expect(row.get_by_role("link", name="decide")).to_have_attribute("href", f"/approvals/{action_id}/")
    row.get_by_role("link", name=NAME).click()
    expect(reader.locator("#run-drawer").get_by_role("link", name="Decide")).to_be_visible()
    server.end_wait(story.run_id, action_id, "ok", "approved by omar")
    reader.reload()
    expect(reader.locator("#run-drawer")).to_contain_text("approved by omar")
    expect(wait_row(reader).locator(".badge")).to_have_text("approved")
    plain.close()


@pytest.mark.parametrize("width", [1440, 360])
def test_axe_finds_nothing_and_nothing_scrolls_sideways(page: Page, server: WebConsole, story: Story, action_id, width):
    server.begin_wait(story.run_id, str(uuid.uuid4()), "approval: page the on-call")
    server.end_wait(story.run_id, action_id, "rejected", "denied by omar: not now")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        for query in ("", f"?span={wait_span_id(uuid.UUID(action_id))}"):
            opened(page, server, story, query, width)
            found = Axe().run(page).response["violations"]
            assert [f"{one['id']}: {node['html'][:160]}" for one in found for node in one["nodes"]] == []
            assert page.evaluate("document.documentElement.scrollWidth") <= width
