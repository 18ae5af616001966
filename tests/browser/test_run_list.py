"""The run list, live."""

import re
from typing import Any

from playwright.sync_api import Page, expect

from agentconsole.protocol.ids import new_request_id
from tests.browser.console import WebConsole
from tests.ingest.items import new_run, run_finished, run_started
from tests.pages.runs import ago, call, stay


def begin(server: WebConsole, agent: str = "triage@dev", **fields: Any) -> str:
    """A run that begins now; its id."""
    run = new_run()
    server.ingest([run_started(run, at=ago(0), **{"request_id": new_request_id(), **fields})], agent)
    return run


def row(page: Page, run: str):
    return page.locator(f"#run-{run}")


def open_live(server: WebConsole, page: Page, query: str = "") -> None:
    """The list, once it is live."""
    page.goto(f"{server.url}/runs/{query}")
    expect(page.locator("#live")).to_have_attribute("data-state", "live")


def test_a_new_run_appears_at_the_top_and_changes_in_place_to_its_end(server: WebConsole, page: Page):
    server.login(page)
    open_live(server, page)
    run = begin(server, query="why is checkout slow?", subject="dana", transport="slack")
    expect(page.locator("#runs tbody tr").first).to_have_id(f"run-{run}")
    expect(row(page, run).locator(".c-status")).to_have_text("running")
    items = [{**item, "run": run} for item in (*stay("gather", 0, -2), call("timeout"))]
    server.ingest([*items, run_finished(run, at=ago(-2), status="failed")])
    expect(row(page, run).locator(".c-status")).to_have_text("failed")
    expect(row(page, run).locator('.c-tools [title="1 timeout"]')).to_be_visible()
    expect(row(page, run).locator("svg.bar")).to_have_attribute("aria-label", re.compile("gather"))


def test_a_row_that_was_filled_live_reads_like_one_from_the_server(server: WebConsole, page: Page):
    server.login(page)
    open_live(server, page)
    run = begin(
        server, query="why?", subject="dana", on_behalf_of="kim", transport="mcp", request_id="req-the-same-row-twice"
    )
    server.ingest([run_finished(run, at=ago(0)), {**call("slow"), "run": run}])
    expect(row(page, run).locator(".c-tools")).to_have_text(re.compile("1 slow"))
    cells = ".c-status, .c-request, .c-agent, .c-asked, .c-phase, .c-tools, .c-took"
    loaded = page.context.new_page()
    loaded.goto(page.url)
    fresh = [re.sub(r"\s+", " ", text).strip() for text in row(loaded, run).locator(cells).all_inner_texts()]
    assert fresh[0] == "succeeded"
    # What a frame does not say (its agent is degraded) the page asks for: that may take a moment longer.
    expect(row(page, run).locator(cells)).to_have_text(fresh, use_inner_text=True)
    loaded.close()


def test_rows_wait_on_a_pill_while_the_pointer_is_on_the_list(server: WebConsole, page: Page):
    server.login(page)
    begin(server)
    open_live(server, page)
    page.hover("#runs tbody tr >> nth=0")
    top = page.locator("#runs tbody tr").first.get_attribute("id")
    run = begin(server)
    expect(page.locator("#fresh")).to_have_text(re.compile("1 new"))
    assert page.locator("#runs tbody tr").first.get_attribute("id") == top
    page.click("#fresh")
    expect(page.locator("#runs tbody tr").first).to_have_id(f"run-{run}")
    expect(page.locator("#fresh")).to_be_hidden()


def test_a_filtered_list_takes_only_what_fits(server: WebConsole, page: Page):
    server.login(page)
    open_live(server, page, "?environment=prod&transport=slack")
    other, fits = begin(server, transport="slack"), begin(server, "triage@prod", transport="slack")
    unfit = begin(server, "triage@prod", transport="rest")
    expect(row(page, fits)).to_be_visible()
    assert row(page, other).count() == row(page, unfit).count() == 0


def test_the_dot_tells_the_truth_when_the_console_goes_away_and_comes_back(server: WebConsole, page: Page, trouble):
    trouble.allow("WebSocket connection")
    trouble.allow("net::ERR_CONNECTION_REFUSED")
    server.login(page)
    open_live(server, page)
    server.stop()
    expect(page.locator("#live")).not_to_have_attribute("data-state", "live")
    server.serve()
    run = begin(server)
    expect(page.locator("#live")).to_have_attribute("data-state", "live", timeout=30_000)
    expect(row(page, run)).to_be_visible()


def test_filters_are_set_by_a_form_and_taken_away_by_their_chips(server: WebConsole, page: Page):
    server.login(page)
    page.click("#filters summary")
    page.select_option("select[name=status]", "failed")
    page.fill("input[name=agent]", "triage")
    page.click("text=Apply")
    page.wait_for_url("**/runs/?status=failed&agent=triage")
    page.click('[aria-label="Remove the filter status failed"]')
    page.wait_for_url("**/runs/?agent=triage")


def test_a_view_is_saved_under_a_name(server: WebConsole, page: Page):
    server.login(page, "vera")
    page.goto(f"{server.url}/runs/?status=stalled&environment=prod")
    page.click("text=Save view")
    page.fill("input[name=name]", "prod stalls")
    page.click("main button:text-is('Save')")
    expect(page.locator(".chip.saved a[aria-current]")).to_have_text("prod stalls")
    page.click('[aria-label="Remove the view prod stalls"]')
    expect(page.locator(".chip.saved")).to_have_count(0)


def test_dragging_over_the_histogram_narrows_the_time(server: WebConsole, page: Page):
    begin(server)
    server.login(page)
    page.goto(f"{server.url}/runs/?status=running")
    box = page.locator("#histogram").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 30)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 30, steps=4)
    expect(page.locator(".brush")).to_be_visible()
    page.mouse.up()
    page.wait_for_url(re.compile(r"status=running.*&from=.*&to="))
    expect(page.locator(".chips >> text=from")).to_be_visible()


def test_the_histogram_narrows_by_keyboard(server: WebConsole, page: Page):
    begin(server)
    server.login(page)
    page.focus("#histogram a[tabindex='0']")
    for key in ("ArrowLeft", "Shift+ArrowLeft", "Shift+ArrowLeft"):
        page.keyboard.press(key)
    since = page.locator("#histogram a:focus").get_attribute("data-since")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("from="))
    assert f"from={since}".replace(":", "%3A") in page.url


def test_j_k_and_enter_walk_the_rows(server: WebConsole, page: Page):
    begin(server)
    last = begin(server)
    server.login(page)
    page.goto(f"{server.url}/runs/")
    for key in ("j", "j", "k"):
        page.keyboard.press(key)
    expect(row(page, last).locator("[data-row]")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/runs/{last}/")
