"""The frame of every page says what the readiness probe says: a dot always, a banner while it is not ready."""

from unittest.mock import patch

import pytest
from django.contrib.auth.models import User
from django.test import Client

from agentconsole.health.words import banner

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("status", "word"), [("ready", "ready"), ("not_ready", "not ready"), ("draining", "stopping")])
def test_a_page_shows_it_and_the_page_can_ask_again(viewer: User, sign_in, status: str, word: str):
    browser = sign_in(viewer)
    with patch("agentconsole.health.board.Board.report", return_value={"status": status, "components": {}}):
        page = browser.get("/runs/").content.decode()
        asked = browser.get("/health/state")
    assert f"data-health-word>{word}<" in page
    assert (asked.status_code, asked.json()["status"]) == (200, status)
    assert asked.headers["Cache-Control"] == "no-store"


def test_nobody_is_told_without_signing_in():
    assert Client().get("/health/state").status_code == 302


NOT_READY = {
    "status": "not_ready",
    "components": {
        "worker": {"status": "stale", "critical": True, "since": "2026-03-01T02:10:04Z", "detail": "vm"},
        "beat": {"status": "failing", "critical": True, "since": None, "detail": "no scheduler has started yet"},
        "outbox": {"status": "stale", "critical": False, "since": "2026-03-01T02:10:04Z", "detail": ""},
        "disk": {"status": "ok", "critical": True, "since": None, "detail": ""},
    },
}
SENTENCE = "The console is not ready: Background worker since 02:10:04 UTC, Schedule not proven yet."


@pytest.mark.parametrize("path", ["/runs/", "/settings/", "/runs/?status=nonsense", "/nowhere"])
def test_every_page_says_which_part_is_missing_and_since_when(viewer: User, sign_in, path: str):
    with patch("agentconsole.health.board.Board.report", return_value=NOT_READY):
        browser = sign_in(viewer)
        page = browser.get(path).content.decode()
        assert browser.get("/health/state").json()["banner"] == SENTENCE
    assert f"data-health-banner>{SENTENCE}<" in page
    assert 'role="status"' in page


def test_a_page_of_a_ready_console_keeps_an_empty_region_for_what_may_come(viewer: User, sign_in):
    with patch("agentconsole.health.board.Board.report", return_value={"status": "ready", "components": {}}):
        page = sign_in(viewer).get("/runs/").content.decode()
    assert "data-health-banner><" in page


def test_a_console_that_stops_says_that():
    assert banner({"status": "draining", "components": {}}).startswith("This console is stopping")
