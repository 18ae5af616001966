"""A console that is not ready says so on every page, and its health page why and since when."""

from itertools import product

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Trouble
from tests.browser.console import WebConsole

BANNER = "#health-banner .notice"
ASK_NOW = "document.dispatchEvent(new Event('visibilitychange'))"


@pytest.fixture(scope="module")
def bad_minutes(server: WebConsole) -> str:
    """When something was wrong in the day that the console has behind it."""
    return server.make_history()


@pytest.fixture
def remembering(server: WebConsole, bad_minutes: str) -> WebConsole:
    """A console with a day behind it."""
    return server


def test_a_page_that_is_open_hears_of_it_and_of_the_repair(server: WebConsole, page: Page):
    server.login(page)
    expect(page.locator(BANNER)).to_be_hidden()
    with server.without_worker():
        page.evaluate(ASK_NOW)
        expect(page.locator(BANNER)).to_contain_text("The console is not ready: Background worker since ")
        expect(page.locator("#health-dot")).to_contain_text("not ready")
        page.reload()
        expect(page.locator(BANNER)).to_contain_text("Background worker since ")
    page.evaluate(ASK_NOW)
    expect(page.locator(BANNER)).to_be_hidden()


def test_a_page_says_that_nobody_answers(server: WebConsole, page: Page, trouble: Trouble):
    trouble.allow("Failed to load resource")
    server.login(page)
    page.route("**/health/state", lambda route: route.abort())
    page.evaluate(ASK_NOW)
    expect(page.locator(BANNER)).to_contain_text("The console does not answer since ")
    expect(page.locator("#health-dot")).to_contain_text("health unknown")


def test_a_page_says_that_its_person_is_signed_out(server: WebConsole, page: Page):
    server.login(page)
    page.context.clear_cookies()
    page.evaluate(ASK_NOW)
    expect(page.locator(BANNER)).to_contain_text("You are signed out")


LOOKS = [(theme, width) for theme in ("light", "dark") for width in (1440, 360)]


def test_banner_and_board_are_accessible_and_fit(remembering: WebConsole, page: Page):
    remembering.login(page)
    with remembering.without_worker():
        for (theme, width), (path, seen) in product(LOOKS, {"/runs/": BANNER, "/health/": ".why"}.items()):
            page.set_viewport_size({"width": width, "height": 740})
            page.emulate_media(color_scheme=theme, reduced_motion="reduce")  # type: ignore[arg-type]  # one of the two
            page.goto(remembering.url + path)
            expect(page.locator(seen)).to_contain_text("Background worker")
            found = Axe().run(page)
            assert found.violations_count == 0, (theme, width, found.generate_report())
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (theme, width)


def test_the_day_is_drawn_and_told(remembering: WebConsole, bad_minutes: str, page: Page):
    remembering.login(page)
    page.goto(f"{remembering.url}/health/")
    strip = page.get_by_role("img", name="Background worker, 24 h: ")
    assert f"stale {bad_minutes}" in (strip.get_attribute("aria-label") or "")
    assert "no record" in (strip.get_attribute("aria-label") or "")
    for state in ("ok", "stale", "unknown"):
        boxes = [spell.bounding_box() for spell in strip.locator(f"[data-state={state}]").all()]
        assert any(box and box["width"] > 1 for box in boxes)
    whole = page.get_by_role("img", name="Console, 24 h: ").get_attribute("aria-label") or ""
    assert f"not ready {bad_minutes}" in whole


def test_the_probes_answer_can_be_copied(remembering: WebConsole, page: Page):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=remembering.url)
    remembering.login(page)
    page.goto(f"{remembering.url}/health/")
    page.click("#answer summary")
    page.click('[aria-label="Copy the probe\'s answer"]')
    expect(page.locator("#announce")).to_have_text("Copied")
    assert '"status": "ready"' in page.evaluate("navigator.clipboard.readText()")


def test_the_page_reads_itself_again(remembering: WebConsole, page: Page):
    remembering.login(page)
    page.clock.install()
    page.goto(f"{remembering.url}/health/")
    with remembering.without_worker(), page.expect_response("**/health/"):
        page.clock.run_for(5_100)
    expect(page.locator("#health-board")).to_contain_text("Background worker: failing since")


def test_everything_is_there_without_javascript(remembering: WebConsole, chromium: Browser):
    plain = chromium.new_context(java_script_enabled=False)
    page = plain.new_page()
    with remembering.without_worker():
        remembering.login(page)
        expect(page.locator(BANNER)).to_be_visible()
        page.goto(f"{remembering.url}/health/")
        expect(page.locator(".why")).to_contain_text("Background worker: failing since")
        page.click("#answer summary")
        expect(page.locator("#answer pre")).to_contain_text('"status": "not_ready"')
    plain.close()
