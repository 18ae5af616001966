"""What a person does on the page of a run: look, move, fold, filter, zoom, open, copy."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.console import WebConsole
from tests.run_page.story import Story, batches, rich_run, wide_run


def ago(minutes: float) -> datetime:
    return datetime.now(UTC) - timedelta(minutes=minutes)


def send(server: WebConsole, story: Story) -> Story:
    for batch in batches(story.until(1e9)):
        server.ingest(batch)
    return story


def opened(page: Page, server: WebConsole, story: Story, query: str = "") -> Page:
    """The page of a story's run, its log read to the end."""
    page.goto(f"{server.url}/runs/{story.run_id}/{query}")
    page.wait_for_selector("#run[data-loaded]")
    return page


def row(page: Page, name: str) -> Locator:
    return page.locator(".span-rows .span-row", has=page.get_by_role("link", name=name, exact=True)).first


@pytest.fixture
def story(page: Page, server: WebConsole) -> Story:
    """A run with everything in it, that ended; vera is signed in."""
    server.login(page, "vera")
    return send(server, rich_run(ago(10)))


@pytest.fixture
def run(page: Page, server: WebConsole, story: Story) -> Page:
    """Its page."""
    return opened(page, server, story)


def test_ten_thousand_spans_keep_the_page_small_and_scroll_to_the_last(page: Page, server: WebConsole):
    server.login(page, "vera")
    opened(page, server, send(server, wide_run(ago(10), 10_000)))
    expect(page.locator(".waterfall")).to_have_attribute("aria-rowcount", "10001")
    assert page.locator(".span-row").count() < 120
    page.evaluate("window.scrollTo(0, document.documentElement.scrollHeight)")
    expect(row(page, "call-9999")).to_be_in_viewport()
    assert page.locator(".span-row").count() < 120
    page.evaluate("window.scrollTo(0, document.documentElement.scrollHeight / 2)")
    expect(row(page, "call-5000").or_(row(page, "call-4990"))).to_be_attached()


def test_keys_move_open_follow_and_close(run: Page, story: Story):
    run.keyboard.press("j")
    run.keyboard.press("j")
    expect(row(run, "rerank_runbooks")).to_have_attribute("data-active", "")
    run.keyboard.press("Enter")
    expect(run.locator("#drawer-title")).to_have_text("rerank_runbooks")
    assert f"span={story.span_ids['rerank_runbooks']}" in run.url
    run.keyboard.press("k")
    expect(run.locator("#drawer-title")).to_have_text("plan")
    run.keyboard.press("Escape")
    expect(run.locator("#run-drawer")).to_have_count(0)
    assert "span=" not in run.url


def test_h_and_l_fold_and_unfold(run: Page):
    row(run, "logs").locator("a").click()
    run.keyboard.press("h")
    expect(row(run, "logs")).to_have_attribute("aria-expanded", "false")
    expect(row(run, "search_logs")).to_have_count(0)
    run.keyboard.press("l")
    expect(row(run, "search_logs")).to_be_attached()


def test_t_shows_the_tokens_and_back(run: Page):
    run.keyboard.press("t")
    expect(run.locator(".token-row a.mono", has_text="ROUTER_DECISION")).to_be_visible()
    assert "tab=tokens" in run.url
    run.keyboard.press("t")
    expect(row(run, "plan")).to_be_visible()


def test_brackets_go_to_the_agents_runs_before_and_after(run: Page, server: WebConsole):
    send(server, rich_run(ago(5)))
    run.reload()
    run.wait_for_selector("#run[data-loaded]")
    here = run.url
    run.keyboard.press("]")
    run.wait_for_url(lambda url: url != here)
    run.wait_for_selector("#run[data-loaded]")
    run.keyboard.press("[")
    run.wait_for_url(here)


def test_a_filter_keeps_what_matches_with_its_ancestors(run: Page):
    run.keyboard.press("f")
    run.keyboard.type("search_logs")
    expect(row(run, "plan")).to_have_count(0)
    expect(row(run, "logs")).to_have_attribute("data-context", "")
    run.keyboard.press("Control+A")
    run.keyboard.press("Delete")
    run.get_by_role("button", name="timeout").click()
    expect(run.locator(".span-rows .span-row")).to_have_count(2)
    expect(run.locator(".span-rows .badge[data-word=timeout]")).to_have_count(1)


def test_every_outcome_is_told_by_icon_and_word(run: Page):
    run.set_viewport_size({"width": 1440, "height": 2400})  # rows out of sight are not in the page
    for word in ["slow", "empty", "timeout", "auth", "degraded", "rejected", "error"]:
        found = run.locator(".span-rows .badge", has_text=word).first
        expect(found).to_be_attached()
        expect(found.locator("svg use")).to_have_count(1)


def test_the_critical_path_alone_leaves_out_what_nobody_waited_for(run: Page):
    run.get_by_role("button", name="Critical path").click()
    expect(row(run, "search_logs")).to_be_attached()
    expect(row(run, "correlate")).to_be_attached()
    expect(row(run, "list_dashboards")).to_have_count(0)


def test_a_band_zooms_the_timeline_to_its_time_and_back(run: Page):
    band = run.locator(".band", has_text="gather")
    expect(run.locator(".minimap-view")).to_be_hidden()
    band.click()
    expect(run.locator(".minimap-view")).to_be_visible()
    expect(row(run, "plan").locator(".bar")).to_have_count(0)
    run.keyboard.press("0")
    expect(run.locator(".minimap-view")).to_be_hidden()
    band.focus()
    run.keyboard.press("Enter")
    expect(run.locator(".minimap-view")).to_be_visible()


def test_the_wheel_zooms_around_the_pointer_and_pans(run: Page):
    track = row(run, "plan").locator(".span-track")
    track.hover(position={"x": 20, "y": 10})
    run.keyboard.down("Control")
    run.mouse.wheel(0, -300)
    run.keyboard.up("Control")
    expect(run.locator(".minimap-view")).to_be_visible()
    before = run.locator(".span-axis").text_content()
    run.keyboard.press(">")
    expect(run.locator(".span-axis")).not_to_have_text(before or "")


def test_dragging_over_the_minimap_zooms_to_that_part(run: Page):
    box = run.locator(".minimap").bounding_box()
    assert box is not None
    run.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 10)
    run.mouse.down()
    run.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + 10, steps=5)
    run.mouse.up()
    view = run.locator(".minimap-view").bounding_box()
    assert view is not None
    assert abs(view["width"] - box["width"] / 4) < 4


def test_the_ribbon_tells_of_the_gap(run: Page):
    expect(run.locator("#ribbon-answer")).to_have_text("46 s in gather, 51 % of the run; no tick for 12 s")
    expect(run.locator("#ribbon-bands .gap")).to_have_count(1)


def test_the_drawer_draws_the_cut_between_head_and_tail(run: Page, story: Story, server: WebConsole):
    opened(run, server, story, f"?span={story.span_ids['logs']}")
    expect(run.locator(".kept-head")).to_contain_text("BEGIN of the log")
    expect(run.locator(".kept-tail")).to_contain_text("END of the log")
    expect(run.locator(".cut-mark")).to_contain_text("characters]")
    expect(run.locator(".digest code")).to_have_attribute("title", re.compile("^[0-9a-f]{64}$"))


def test_the_drawer_shows_secrets_as_pills(run: Page, story: Story, server: WebConsole):
    opened(run, server, story, f"?span={story.span_ids['post_answer']}")
    expect(run.locator("mark.redacted")).to_have_text("[REDACTED:authorization_header]")
    expect(run.locator(".notice", has_text="A secret leaked")).to_be_visible()


def test_a_span_can_be_copied_as_json(run: Page, story: Story, server: WebConsole):
    run.context.grant_permissions(["clipboard-read", "clipboard-write"])
    opened(run, server, story, f"?span={story.span_ids['search_incidents']}")
    expect(run.locator(".kept")).to_be_visible()
    run.get_by_role("button", name="Copy as JSON").click()
    copied = run.evaluate("navigator.clipboard.readText().then(JSON.parse)")
    assert copied["attempts"][2]["outcome"] == "ok"
    assert "INC-204" in copied["result"]["text"]


def test_back_and_forward_go_through_what_was_open(run: Page):
    row(run, "plan").locator("a").click()
    row(run, "metrics").locator("a").click()
    expect(run.locator("#drawer-title")).to_have_text("metrics")
    run.go_back()
    expect(run.locator("#drawer-title")).to_have_text("plan")
    run.go_back()
    expect(run.locator("#run-drawer")).to_have_count(0)


def test_tokens_filter_as_one_types_and_open_beside(run: Page, server: WebConsole, story: Story):
    opened(run, server, story, "?tab=tokens")
    run.keyboard.press("f")
    run.keyboard.type("router")
    expect(run.locator(".span-rows .token-row")).to_have_count(1)
    run.locator(".span-rows .token-fields").click()
    expect(run.locator("#drawer-title")).to_have_text("ROUTER_DECISION")
    expect(run.locator("#run-drawer .tree")).to_contain_text("latency and errors rose together")
    expect(run.locator(".grep code")).to_contain_text(f"grep -hF '{story.request_id}'")


def test_a_token_leads_to_where_else_it_occurred(run: Page, server: WebConsole, story: Story):
    opened(run, server, story, "?tab=tokens")
    run.locator(".token-row a.mono", has_text="ROUTER_DECISION").click()
    run.wait_for_url("**/traces/?token=ROUTER_DECISION")


def test_sub_agents_show_question_calls_and_the_kept_ends_of_the_result(run: Page, server: WebConsole, story: Story):
    opened(run, server, story, "?tab=agents")
    card = run.locator(".invocation", has=run.get_by_role("link", name="logs", exact=True))
    card.scroll_into_view_if_needed()
    expect(card).to_contain_text("errors of checkout since 01:40 UTC")
    expect(card.locator(".invocation-calls .badge[data-word=timeout]")).to_be_visible()
    expect(card.locator(".kept-tail")).to_contain_text("END of the log")


def test_nothing_scrolls_sideways_on_a_small_phone(run: Page, server: WebConsole, story: Story):
    run.set_viewport_size({"width": 360, "height": 740})
    for query in ["", "?tab=tokens", "?tab=agents", f"?span={story.span_ids['logs']}"]:
        opened(run, server, story, query)
        assert run.evaluate("document.documentElement.scrollWidth") <= 360, query
    # Asked until it is so: the drawer is drawn anew while its span arrives.
    expect(run.locator("#run-drawer")).to_have_css("width", "360px")
    expect(run.locator("#run-drawer")).to_have_css("height", "740px")


def test_everything_can_be_read_without_javascript(chromium: Browser, server: WebConsole, story: Story, page: Page):
    plain = chromium.new_context(java_script_enabled=False, storage_state=page.context.storage_state())
    reader = plain.new_page()
    reader.goto(f"{server.url}/runs/{story.run_id}/")
    expect(reader.locator(".band")).to_have_count(6)
    reader.get_by_role("link", name="search_incidents").click()
    expect(reader.locator("#run-drawer")).to_contain_text("attempt 3")
    reader.get_by_role("link", name="Tokens").click()
    expect(reader.locator(".token-log")).to_contain_text("ROUTER_DECISION")
    plain.close()


def test_the_permalink_waits_for_the_first_run_and_goes_there(page: Page, server: WebConsole):
    server.login(page, "vera")
    story = rich_run(ago(1))
    page.goto(f"{server.url}/r/{story.request_id}")
    expect(page.locator("#waiting-sentence")).to_contain_text("as soon as something of it arrives")
    server.ingest(story.until(1))
    page.wait_for_url(f"**/runs/{story.run_id}/")
