"""The run page for people who use a screen reader, a keyboard, or the other theme: axe finds nothing to say."""

from datetime import UTC, datetime, timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.console import WebConsole
from tests.run_page.story import Story, batches, rich_run, wide_run

VIEWS = {
    "timeline": "",
    "drawer": "?span={logs}",
    "retries": "?span={search_incidents}",
    "tokens": "?tab=tokens",
    "agents": "?tab=agents",
}


def sent(server: WebConsole, story: Story) -> Story:
    for batch in batches(story.until(1e9)):
        server.ingest(batch)
    return story


def violations(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {node['html'][:160]} {node['failureSummary']}" for one in found for node in one["nodes"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("view", VIEWS)
def test_axe_finds_nothing(page: Page, server: WebConsole, view: str, scheme: str, width: int):
    server.login(page, "vera")
    story = sent(server, rich_run(datetime.now(UTC) - timedelta(minutes=10)))
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.goto(f"{server.url}/runs/{story.run_id}/{VIEWS[view].format(**story.span_ids)}")
    page.wait_for_selector("#run[data-loaded]")
    page.wait_for_load_state("networkidle")
    assert violations(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_a_long_run_and_on_the_permalink(page: Page, server: WebConsole, scheme: str):
    server.login(page, "vera")
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    first, second = (wide_run(datetime.now(UTC) - timedelta(minutes=10), 500) for _ in range(2))
    second.items[0][1]["request_id"] = first.request_id
    sent(server, first)
    sent(server, second)
    page.goto(f"{server.url}/runs/{first.run_id}/")
    page.wait_for_selector("#run[data-loaded]")
    assert violations(page) == []
    page.goto(f"{server.url}/r/{first.request_id}")
    assert violations(page) == []
    page.goto(f"{server.url}/r/req_nothing_of_this_came")
    assert violations(page) == []
