"""Real Chromium against a real server. A page that logs an error, breaks the CSP or calls a third party fails its test."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright

from tests.browser.console import WebConsole
from tests.left_out import CHROMIUM
from tests.processes.services import own_services

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs the browser."""
    for item in items:
        if "tests/browser/" in item.path.as_posix():
            item.add_marker("browser")


@dataclass
class Trouble:
    """What a page did that it must not. A test that means to cause an error allows its text."""

    own_url: str
    found: list[str] = field(default_factory=list)
    allowed: list[str] = field(default_factory=list)

    def allow(self, text: str) -> None:
        """Don't count messages that contain this."""
        self.allowed.append(text)

    def watch(self, page: Page) -> None:
        """Listen to a page."""
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.found.append(f"exception: {error}"))
        page.on("request", self._on_request)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.found.append(f"console {message.type}: {message.text}")

    def _on_request(self, request: Request) -> None:
        if not request.url.startswith((self.own_url, "data:", "blob:", "about:")):
            self.found.append(f"third party: {request.url}")

    @property
    def left(self) -> list[str]:
        """What was not allowed."""
        return [text for text in self.found if not any(part in text for part in self.allowed)]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebConsole]:
    """One console for all browser tests: they tell their runs apart by request ID."""
    with own_services() as services:
        console = WebConsole(tmp_path_factory.mktemp("browser"), **services)
        try:
            console.start()
            yield console
        finally:
            console.stop()


# Not for the session: while Playwright is open its event loop counts as running, and the ORM refuses to work.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which(CHROMIUM), args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    """A fresh profile on a laptop."""
    fresh = chromium.new_context(viewport={"width": 1440, "height": 900})
    fresh.set_default_timeout(10_000)
    yield fresh
    fresh.close()


@pytest.fixture
def trouble(server: WebConsole) -> Trouble:
    """What the test's page must not do."""
    return Trouble(server.url)


@pytest.fixture
def page(context: BrowserContext, trouble: Trouble) -> Iterator[Page]:
    """An empty page; whatever trouble it makes fails the test at its end."""
    opened = context.new_page()
    trouble.watch(opened)
    yield opened
    assert trouble.left == []
