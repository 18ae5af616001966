"""What holds for every page: axe finds nothing, nothing scrolls sideways on a phone, a first load is light."""

import gzip
from collections.abc import Iterator

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Trouble
from tests.browser.console import WebConsole
from tests.ingest.items import new_run, run_finished, run_started
from tests.leaks.findings import BEARER
from tests.pages.runs import ago, call, said, stay

PATHS = {
    "runs": "/runs/",
    "runs, filtered": "/runs/?environment=prod&status=failed",
    "no match": "/runs/?status=cancelled&agent=nobody",
    "agents": "/agents/",
    "agent": "/agents/dev/triage/",
    "new credential": "/agents/new/",
    "confirm": "/agents/instances/{instance}/rotate/sure",
    "traces": "/traces/",
    "token": "/traces/?token=ROUTER_DECISION",
    "found": "/traces/?q=logs",
    "tools": "/traces/tools/",
    "leaks": "/traces/leaks/",
    "leak": "/traces/leaks/{leak}/",
    "search": "/search/?q=axe-",
    "search, nothing": "/search/?q=nothing-like-it",
    "health": "/health/",
    "settings": "/settings/",
    "password": "/settings/password",
    "approvals": "/approvals/",
    "approval": "/approvals/{action}/",
    "evidence": "/approvals/{action}/evidence/",
    "decided": "/approvals/decided/",
    "policy": "/approvals/policy/",
    "provisioners": "/agents/provisioners/",
    "API": "/api/v1/docs",
    "error": "/runs/?status=broken",
}
LIGHT_BYTES = 100_000


@pytest.fixture(scope="module")
def path_of(server: WebConsole) -> Iterator[dict[str, str]]:
    """The pages, with something on each."""
    missing = {
        "expected": ["logs", "restart"],
        "loaded": ["logs"],
        "missing": [{"name": "restart", "reason": "no key"}],
    }
    startup = {"type": "agent.startup", "id": new_run(), "at": ago(30), **missing}
    for number, status in enumerate(("succeeded", "failed", "timed_out")):
        run = new_run()
        asked = {"request_id": f"axe-{number}", "transport": "slack", "subject": "dana", "on_behalf_of": "kim"}
        rest = [call("ok"), call("timeout"), call("auth_failed"), said("ROUTER_DECISION", fields={"chosen": "logs"})]
        rest += [*stay("plan", 60, 55), *stay("gather", 55, 40)]
        items = [run_started(run, at=ago(60), query="why?", **asked), *({**item, "run": run} for item in rest)]
        server.ingest(
            [*items, run_finished(run, at=ago(40), status=status), startup], f"triage@{('dev', 'prod')[number % 2]}"
        )
    action = server.ask(
        {"to": "p\u0430ypal", "script": "line\n" * 40, "options": {"deep": [1, None, True]}},
        agent_reasoning="because",
        context={"agentconsole": {"risk": "high", "on_behalf_of": "kim", "resource": "checkout"}},
    )
    server.ask({"to": "paypal", "script": "line"})
    run = new_run()
    server.ingest([run_started(run, at=ago(60)), {**call("ok"), "run": run, "result": BEARER}])
    server.index()
    yield {name: path.replace("{action}", action) for name, path in PATHS.items()}
    server.forget_leaks()


@pytest.fixture
def signed_in(server: WebConsole, page: Page, trouble: Trouble) -> Page:
    """A page in which an admin is signed in."""
    trouble.allow("status of 400")
    server.login(page)
    return page


def address(server: WebConsole, page: Page, path: str) -> str:
    if "{instance}" in path:
        page.goto(f"{server.url}/agents/dev/triage/")
        path = page.get_attribute("a.button:has-text('Rotate')", "href") or ""
    if "{leak}" in path:
        page.goto(f"{server.url}/traces/leaks/")
        path = page.get_attribute(".leaks [data-row]", "href") or ""
    return server.url + path


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", PATHS)
def test_axe_finds_nothing(name: str, theme: str, server: WebConsole, signed_in: Page, path_of: dict[str, str]):
    signed_in.emulate_media(color_scheme=theme, reduced_motion="reduce")  # type: ignore[arg-type]  # one of the two
    signed_in.goto(address(server, signed_in, path_of[name]))
    found = Axe().run(signed_in)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("what", ["menu", "filters", "keys", "palette", "login"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_what_opens(
    what: str, theme: str, server: WebConsole, signed_in: Page, path_of: dict[str, str]
):
    signed_in.emulate_media(color_scheme=theme)  # type: ignore[arg-type]  # one of the two
    signed_in.goto(f"{server.url}/runs/")
    match what:
        case "menu":
            signed_in.click("#person summary")
        case "filters":
            signed_in.click("#filters summary")
        case "keys":
            signed_in.keyboard.press("?")
        case "palette":
            signed_in.keyboard.press("Control+k")
        case "login":
            signed_in.context.clear_cookies()
            signed_in.goto(f"{server.url}/login/")
    found = Axe().run(signed_in)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("name", PATHS)
def test_nothing_scrolls_sideways_on_a_small_phone(
    name: str, server: WebConsole, signed_in: Page, path_of: dict[str, str]
):
    signed_in.set_viewport_size({"width": 360, "height": 740})
    signed_in.goto(address(server, signed_in, path_of[name]))
    assert signed_in.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("name", ["runs", "agent", "token", "settings", "approval"])
def test_a_first_load_is_light(name: str, server: WebConsole, signed_in: Page, path_of: dict[str, str]):
    loaded: set[str] = set()
    signed_in.on("request", lambda request: loaded.add(request.url))
    signed_in.goto(server.url + path_of[name])
    # The last module of the page's graph is there once the frame works.
    signed_in.keyboard.press("?")
    expect(signed_in.locator("#keys")).to_be_visible()
    own = [url for url in loaded if url.endswith((".css", ".js"))]
    weights = {url: len(gzip.compress(httpx.get(url).content)) for url in own}
    assert 5_000 < sum(weights.values()) < LIGHT_BYTES, weights


@pytest.mark.parametrize("name", [name for name in PATHS if name != "confirm"])
def test_every_page_can_be_read_without_javascript(
    name: str, server: WebConsole, chromium: Browser, path_of: dict[str, str]
):
    plain = chromium.new_context(java_script_enabled=False)
    page = plain.new_page()
    server.login(page)
    page.goto(server.url + path_of[name])
    assert page.locator("main h1").count() == 1
    assert page.locator("main h1").is_visible()
    plain.close()
