"""An agent that loses what it needs says so while people look: on the agents' pages, on its runs, on what it asks."""

import uuid
from itertools import product

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.console import WebConsole
from tests.ingest.items import new_run, run_started
from tests.pages.runs import ago
from tests.vitals.beats import beat, component, startup

LOOKS = [(theme, width) for theme in ("light", "dark") for width in (1440, 360)]
LONG = "a_tool_with_a_name_that_goes_on_and_on_" + "x" * 120


@pytest.fixture
def boot(server: WebConsole) -> str:
    return str(uuid.uuid4())


def test_an_instance_turns_from_ready_to_not_ready_before_ones_eyes(server: WebConsole, page: Page, boot: str):
    server.ingest([startup(), beat(component(), boot=boot, runs=1, lease_s=600)], "triage@prod")
    server.login(page)
    page.clock.install()
    page.goto(f"{server.url}/agents/prod/triage/")
    expect(page.locator("#agent-state")).to_have_text("ready")
    server.ingest([beat(component(failure="socket closed"), boot=boot, number=2, runs=1, lease_s=600)], "triage@prod")
    with page.expect_response("**/agents/prod/triage/"):
        page.clock.run_for(5_100)
    expect(page.locator("#agent-state")).to_have_text("not ready")
    expect(page.locator("#trouble")).to_contain_text("slack thread socket closed")
    expect(page.locator("#agent-instances .components")).to_contain_text("failing")


def test_what_it_lacks_is_marked_wherever_it_appears(server: WebConsole, page: Page):
    run = new_run()
    server.ingest(
        [
            startup("restart_service", LONG, at_ago_s=0),
            beat(component(), component("model gateway", failure="HTTP 401 " * 40), lease_s=600),
            run_started(run, at=ago(0), request_id="req-without"),
        ],
        "triage@prod",
    )
    action = server.ask({"service": "checkout"}, "triage@prod")
    server.login(page)
    places = {
        "/agents/": "is without: restart_service",
        "/agents/prod/triage/": "model gateway",
        "/runs/?environment=prod": "degraded",
        f"/runs/{run}/": "Begun by a degraded agent",
        "/approvals/": "degraded, without: restart_service",
        f"/approvals/{action}/": "Asked by a degraded agent",
    }
    for (theme, width), (path, words) in product(LOOKS, places.items()):
        page.set_viewport_size({"width": width, "height": 740})
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")  # type: ignore[arg-type]  # one of the two
        page.goto(server.url + path)
        expect(page.locator("main")).to_contain_text(words)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, (path, theme, width)
        if width == LOOKS[0][1]:
            found = Axe().run(page)
            assert found.violations_count == 0, (path, theme, found.generate_report())
    server.ingest([startup(at_ago_s=0), beat(component(), lease_s=600)], "triage@prod")
    page.goto(f"{server.url}/runs/{run}/")
    expect(page.locator("main")).to_contain_text("Begun by a degraded agent")
    page.goto(f"{server.url}/approvals/{action}/")
    expect(page.locator("main")).to_contain_text("It has been started with them since")
