"""A run that is watched while it happens: what a page has grown to is what a fresh page shows, whatever the network did."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Trouble
from tests.browser.console import WebConsole
from tests.browser.network import Network, network_to
from tests.processes.running import wait_for
from tests.run_page.story import Item, Story, rich_run

STATE = """() => {
  const text = (selector) => [...document.querySelectorAll(selector)].map((one) => one.textContent.replace(/\\s+/g, " ").trim());
  const place = (one) => ["class", "data-word", "x", "width"].map((name) => one.getAttribute(name)).join(" ");
  return {
    title: document.title,
    head: text(".run-title h1, [data-head]:not([data-head=started])"),
    ribbon: [...text("#ribbon-answer, #ribbon-shares li"), ...[...document.querySelectorAll(".band")].map((one) => one.getAttribute("aria-label"))],
    tabs: text("#run-tabs a"),
    rows: [...document.querySelectorAll(".span-rows > *")]
      .sort((one, other) => Number(one.getAttribute("aria-rowindex")) - Number(other.getAttribute("aria-rowindex")))
      .map((row) => [row.dataset.id, row.dataset.depth, row.textContent, ...[...row.querySelectorAll("rect, line")].map(place)].join(" | ")),
    count: document.querySelector("[aria-rowcount]")?.getAttribute("aria-rowcount"),
  };
}"""


@pytest.fixture
def network(server: WebConsole) -> Iterator[Network]:
    """What stands between the browser and the console."""
    with network_to(server.port) as relay:
        yield relay


@pytest.fixture
def watcher(chromium: Browser, server: WebConsole, network: Network) -> Iterator[Page]:
    """vera's browser behind that network, on a screen that is high enough for all rows."""
    context = chromium.new_context(viewport={"width": 1440, "height": 3000})
    door = context.new_page()
    server.login(door, "vera")  # cookies know no ports: she is signed in through the network too
    door.close()
    page = context.new_page()
    trouble = Trouble(network.url)
    trouble.allow("ERR_")
    trouble.allow("WebSocket")
    trouble.watch(page)
    yield page
    context.close()
    assert trouble.left == []


def busy_run() -> Story:
    """A run that began 20 s ago."""
    return rich_run(datetime.now(UTC) - timedelta(seconds=20))


def in_steps(server: WebConsole, items: list[Item], size: int = 3) -> None:
    for first in range(0, len(items), size):
        server.ingest(items[first : first + size])


def watched(page: Page, url: str, story: Story, query: str = "") -> Page:
    page.goto(f"{url}/runs/{story.run_id}/{query}")
    page.wait_for_selector("#run[data-loaded]")
    expect(page.locator("#live")).to_have_attribute("data-state", "live")
    return page


def state(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate(STATE)
    return found


def same_as_fresh(page: Page) -> None:
    """AssertionError unless the page comes to show what a page opened now shows."""
    fresh = page.context.new_page()
    fresh.goto(page.url)
    fresh.wait_for_selector("#run[data-loaded]")
    expected = state(fresh)
    fresh.close()
    deadline = time.monotonic() + 15
    while state(page) != expected and time.monotonic() < deadline:
        page.wait_for_timeout(100)
    assert state(page) == expected


def test_a_run_grows_under_the_eyes_of_who_watches(watcher: Page, server: WebConsole, network: Network):
    story = busy_run()
    in_steps(server, story.until(7))
    watched(watcher, network.url, story)
    expect(watcher.locator("[data-head=status]")).to_have_text("running")
    in_steps(server, story.after(7))
    expect(watcher.locator("[data-head=status]")).to_have_text("succeeded")
    expect(watcher.get_by_role("link", name="flush_metrics")).to_be_visible()
    same_as_fresh(watcher)


@pytest.mark.parametrize("query", ["", "?tab=tokens"])
def test_a_browser_that_lost_its_socket_shows_what_a_fresh_page_shows(
    watcher: Page, server: WebConsole, network: Network, query: str
):
    story = busy_run()
    in_steps(server, story.until(10))
    watched(watcher, network.url, story, query)
    network.cut()
    in_steps(server, [item for item in story.after(10) if item in story.until(60)])
    expect(watcher.locator("#live")).not_to_have_attribute("data-state", "live")
    network.mend()
    in_steps(server, story.after(60))
    expect(watcher.locator("[data-head=status]")).to_have_text("succeeded", timeout=60_000)
    same_as_fresh(watcher)


def test_a_web_process_that_restarts_is_come_back_to(watcher: Page, server: WebConsole, network: Network):
    story = busy_run()
    in_steps(server, story.until(10))
    watched(watcher, network.url, story)
    server.stop()
    server.serve()
    in_steps(server, story.after(10))
    expect(watcher.locator("[data-head=status]")).to_have_text("succeeded", timeout=60_000)
    same_as_fresh(watcher)


def test_what_is_held_still_does_not_move_until_it_may(watcher: Page, server: WebConsole, network: Network):
    story = busy_run()
    in_steps(server, story.until(10))
    watched(watcher, network.url, story)
    watcher.keyboard.press(".")
    before = state(watcher)
    in_steps(server, story.after(10))
    expect(watcher.locator(".held")).to_contain_text("changes wait")
    assert state(watcher)["rows"] == before["rows"]
    watcher.keyboard.press(".")
    expect(watcher.locator("[data-head=status]")).to_have_text("succeeded")
    same_as_fresh(watcher)


def test_rows_that_come_in_do_not_move_what_is_read(watcher: Page, server: WebConsole, network: Network):
    story = busy_run()
    late = [item for item in story.items if item[1].get("name") in ("plan", "rerank_runbooks")]
    early = [item for at, item in sorted(story.items, key=lambda one: one[0]) if (at, item) not in late]
    in_steps(server, early, 20)
    watcher.set_viewport_size({"width": 1440, "height": 500})
    watched(watcher, network.url, story)
    watcher.evaluate("window.scrollTo(0, 900)")
    reading = watcher.get_by_role("link", name="list_pods")
    expect(reading).to_be_visible()
    before = reading.bounding_box()
    in_steps(server, [item for _, item in late])
    expect(watcher.locator(".waterfall")).to_have_attribute("aria-rowcount", "32")
    assert reading.bounding_box() == before


def test_the_drawer_of_a_running_call_fills_when_it_answers(watcher: Page, server: WebConsole, network: Network):
    story = busy_run()
    in_steps(server, story.until(10))
    watched(watcher, network.url, story, f"?span={story.span_ids['logs']}")
    expect(watcher.locator("#run-drawer .badge").first).to_have_text("running")
    in_steps(server, story.after(10))
    expect(watcher.locator("#run-drawer .kept-tail")).to_contain_text("END of the log")


def test_a_wait_on_a_person_is_hatched_and_said(watcher: Page, server: WebConsole, network: Network):
    story = busy_run()
    story.span("approve", 9, None, outcome="waiting", phase="gather")
    in_steps(server, story.until(10))
    watched(watcher, network.url, story)
    expect(watcher.locator("#ribbon-bands .wait")).to_have_attribute("fill", "url(#hatching)")
    expect(watcher.locator(".span-rows .badge[data-word=waiting]")).to_have_text("waiting")


def test_clocks_of_a_live_run_tick(watcher: Page, server: WebConsole, network: Network):
    story = busy_run()
    in_steps(server, story.until(10))
    watched(watcher, network.url, story)
    took = watcher.locator("[data-head=took] b")
    before = took.text_content()
    wait_for("the time it takes moves on", lambda: took.text_content() != before)
