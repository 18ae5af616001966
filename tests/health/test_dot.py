"""The health dot of every page says what the readiness probe says."""

from unittest.mock import patch

import pytest
from django.contrib.auth.models import User
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("status", "word"), [("ready", "ready"), ("not_ready", "not ready"), ("draining", "stopping")])
def test_a_page_shows_it_and_the_page_can_ask_again(viewer: User, sign_in, status: str, word: str):
    browser = sign_in(viewer)
    with patch("agentconsole.health.board.Board.report", return_value={"status": status, "components": {}}):
        page = browser.get("/runs/").content.decode()
        asked = browser.get("/health/state")
    assert f"data-health-word>{word}<" in page
    assert (asked.status_code, asked.json()) == (200, {"status": status})


def test_nobody_is_told_without_signing_in():
    assert Client().get("/health/state").status_code == 302
