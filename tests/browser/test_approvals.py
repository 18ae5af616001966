"""Deciding in a browser: live, by keyboard, on a phone, and without JavaScript."""

import re

from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import Trouble
from tests.browser.console import WebConsole
from tests.cast import PASSWORD


def test_a_question_appears_in_an_open_queue_and_leaves_it(server: WebConsole, page: Page):
    server.login(page, "omar")
    page.goto(f"{server.url}/approvals/")
    expect(page.locator("#live")).to_have_attribute("data-state", "live", timeout=20_000)
    action = server.ask({"n": 1}, tool="appears_by_itself")
    row = page.locator(".queue-row", has_text="appears_by_itself")
    expect(row).to_be_visible()
    row.click()
    page.fill("textarea[name=note]", "fine")
    page.click("[data-approve]")
    expect(page.locator("[role=status].notice").first).to_contain_text("Approved")
    expect(page.locator(".queue-row", has_text="appears_by_itself")).to_have_count(0)
    answer = server.action(action)
    assert (answer["status"], answer["decision"]["note"]) == ("approved", "fine")


def test_the_page_of_an_action_follows_what_others_decide(server: WebConsole, page: Page, chromium: Browser):
    action = server.ask({"n": 2}, tool="decided_elsewhere")
    server.login(page, "omar")
    page.goto(f"{server.url}/approvals/{action}/")
    expect(page.locator("#live")).to_have_attribute("data-state", "live", timeout=20_000)
    other = chromium.new_context().new_page()
    server.login(other, "ada")
    other.goto(f"{server.url}/approvals/{action}/")
    expect(page.locator("article .mark", has_text="ada looking")).to_be_visible(timeout=20_000)
    other.fill("textarea[name=note]", "not now")
    other.click("[data-reject]")
    expect(page.locator("article .told")).to_contain_text("Rejected by ada")
    expect(page.locator("[data-approve]")).to_have_count(0)
    other.context.close()


def test_keys(server: WebConsole, page: Page):
    action = server.ask({"n": 3}, tool="by_keyboard")
    server.login(page, "omar")
    page.goto(f"{server.url}/approvals/{action}/")
    page.keyboard.press("r")
    expect(page.locator("textarea[name=note]")).to_be_focused()
    page.keyboard.press("Tab")
    page.locator("body").click(position={"x": 5, "y": 5})
    page.keyboard.press("a")
    expect(page.locator("[data-approve]")).to_be_focused()
    assert server.action(action)["status"] == "pending"
    page.keyboard.press("Enter")
    expect(page.locator("[role=status].notice").first).to_contain_text("Approved")
    assert server.action(action)["status"] == "approved"


def test_approve_is_locked_until_long_values_were_opened(server: WebConsole, page: Page):
    action = server.ask({"script": "echo hello\n" * 200})
    server.login(page, "omar")
    page.goto(f"{server.url}/approvals/{action}/")
    expect(page.locator("[data-approve]")).to_be_disabled()
    page.click("details[data-fold] summary")
    expect(page.locator("[data-approve]")).to_be_enabled()
    page.click("[data-approve]")
    expect(page.locator("[role=status].notice").first).to_contain_text("Approved")


def test_high_risk_on_a_phone_without_javascript(server: WebConsole, chromium: Browser):
    action = server.ask({"n": 4}, context={"agentconsole": {"risk": "high"}})
    plain = chromium.new_context(java_script_enabled=False, viewport={"width": 360, "height": 740})
    page = plain.new_page()
    server.login(page, "omar", is_fresh=True)
    page.goto(f"{server.url}/approvals/{action}/")
    page.click("[data-approve]")
    expect(page.locator(".problem")).to_contain_text("password")
    page.fill("#verdict [name=password]", PASSWORD)
    page.click("[data-approve]")
    expect(page.locator("[role=status].notice").first).to_contain_text("Approved")
    assert server.action(action)["status"] == "approved"
    plain.close()


def test_a_decision_answers_the_poll_that_waits(server: WebConsole, page: Page, trouble: Trouble):
    import threading

    action = server.ask({"n": 5}, tool="polled")
    told: list[str] = []
    thread = threading.Thread(target=lambda: told.append(server.action(action, wait="25s")["status"]))
    thread.start()
    server.login(page, "omar")
    page.goto(f"{server.url}/approvals/{action}/")
    page.click("[data-approve]")
    thread.join(20)
    assert told == ["approved"]


def test_a_never_approves_high_risk_by_itself(server: WebConsole, page: Page):
    action = server.ask({"n": 6}, tool="risky", context={"agentconsole": {"risk": "high"}})
    server.login(page, "omar", is_fresh=True)
    page.goto(f"{server.url}/approvals/{action}/")
    page.keyboard.press("a")
    expect(page.locator("#verdict [name=password]")).to_be_focused()
    page.keyboard.type(PASSWORD)
    assert server.action(action)["status"] == "pending"
    page.keyboard.press("Enter")
    expect(page.locator("[role=status].notice").first).to_contain_text("Approved")
    assert server.action(action)["status"] == "approved"


def test_a_leads_to_what_is_not_read_yet(server: WebConsole, page: Page):
    action = server.ask({"first": "long\n" * 200, "second": "longer\n" * 300})
    server.login(page, "omar")
    page.goto(f"{server.url}/approvals/{action}/")
    expect(page.locator("#unread")).to_have_text("2 parts are not read yet.")
    for _ in range(2):
        page.keyboard.press("a")
        page.keyboard.press("Enter")
    expect(page.locator("[data-approve]")).to_be_enabled()
    page.keyboard.press("a")
    expect(page.locator("[data-approve]")).to_be_focused()


def test_reject_asks_for_its_reason_before_anything_is_sent(server: WebConsole, page: Page):
    action = server.ask({"n": 7}, tool="rejected_late")
    server.login(page, "omar")
    page.goto(f"{server.url}/approvals/{action}/")
    page.click("[data-reject]")
    expect(page.locator("textarea[name=note]")).to_be_focused()
    assert server.action(action)["status"] == "pending"
    page.keyboard.type("not in the freeze")
    page.click("[data-reject]")
    expect(page.locator("[role=status].notice").first).to_contain_text("Rejected")
    assert server.action(action)["decision"]["note"] == "not in the freeze"


def test_what_was_typed_stays_while_the_action_changes(server: WebConsole, page: Page, chromium: Browser):
    action = server.ask({"n": 8}, tool="changes_meanwhile")
    server.login(page, "omar")
    page.goto(f"{server.url}/approvals/{action}/")
    expect(page.locator("#live")).to_have_attribute("data-state", "live", timeout=20_000)
    page.fill("textarea[name=note]", "half a thought")
    other = chromium.new_context().new_page()
    server.login(other, "ada")
    other.goto(f"{server.url}/approvals/{action}/")
    other.click("[data-approve]")
    expect(page.locator("[data-stale]")).to_be_visible()
    expect(page.locator("textarea[name=note]")).to_have_value("half a thought")
    page.click("[data-stale] a")
    expect(page.locator("article .told")).to_contain_text("Approved by ada")
    other.context.close()


def test_the_count_and_the_filter_are_live(server: WebConsole, page: Page, context: BrowserContext, trouble: Trouble):
    server.login(page, "omar")
    page.goto(f"{server.url}/approvals/")
    only_prod = context.new_page()
    trouble.watch(only_prod)
    only_prod.goto(f"{server.url}/approvals/?environment=prod")
    for open_page in (page, only_prod):
        expect(open_page.locator("#live")).to_have_attribute("data-state", "live", timeout=20_000)
    before = page.locator("#queue [data-id]").count()
    server.ask({"n": 9}, tool="asked_in_dev")
    server.ask({"n": 9}, tool="asked_in_prod", agent="triage@prod")
    expect(page.locator("#queue [data-id]")).to_have_count(before + 2)
    expect(page).to_have_title(f"({before + 2}) Approvals · Agent Console")
    expect(page.locator(".rail [data-pending]")).to_contain_text(str(before + 2))
    row = only_prod.locator(".queue-row", has_text="asked_in_prod")
    expect(row).to_have_attribute("href", re.compile(r"\?environment=prod$"))
    expect(only_prod.locator(".queue-row", has_text="asked_in_dev")).to_have_count(0)


def test_refused_drift_appears_beside_the_queue(server: WebConsole, page: Page):
    action = server.ask({"n": 10}, tool="drifts")
    server.login(page, "omar")
    page.goto(f"{server.url}/approvals/{action}/")
    page.click("[data-approve]")
    page.goto(f"{server.url}/approvals/")
    expect(page.locator("#live")).to_have_attribute("data-state", "live", timeout=20_000)
    assert server.claim(action, {"tool": "drifts", "arguments": {"n": 11}}) == "fingerprint_mismatch"
    page.locator("#concerns .queue-row", has_text="drifts").click()
    expect(page.locator("article .drift")).to_contain_text("$.arguments.n")


def test_who_looks_is_marked_in_the_queue(server: WebConsole, page: Page, chromium: Browser):
    action = server.ask({"n": 12}, tool="looked_at")
    server.login(page, "omar")
    page.goto(f"{server.url}/approvals/")
    other = chromium.new_context().new_page()
    server.login(other, "ada")
    other.goto(f"{server.url}/approvals/{action}/")
    row = page.locator(".queue-row", has_text="looked_at")
    expect(row.locator("[data-lookers]")).to_contain_text("ada", timeout=25_000)
    expect(page.locator("[data-lookers]", has_text="omar")).to_have_count(0)
    other.context.close()
