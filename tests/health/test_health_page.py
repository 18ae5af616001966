"""The health page says in words what the probe answers."""

import html
import json
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client

from agentconsole.health import views
from agentconsole.health.board import Board
from agentconsole.health.minutes import Minute
from agentconsole.health.page import health_page
from agentconsole.health.proof import Proof
from agentconsole.health.services import write_minutes
from tests.health.conftest import NOW

SignIn = Callable[[User], Client]


@pytest.fixture(autouse=True)
def _shown(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "board", board)


def test_a_viewer_sees_each_part_with_its_state_and_evidence(board: Board, viewer: User, sign_in: SignIn, noon: object):
    board.prove("engine", Proof(NOW, "purrs"))
    page = sign_in(viewer).get("/health/")
    assert page.status_code == 200
    for words in ("Engine", "purrs", "ready", "Radio", "not critical", "failing", "never"):
        assert words in page.content.decode()


def test_it_says_why_it_is_not_ready_and_what_the_probe_answers(
    board: Board, viewer: User, sign_in: SignIn, noon: time_machine.Traveller
):
    board.prove("engine", Proof(NOW, "purrs"))
    noon.shift(45)
    page = html.unescape(sign_in(viewer).get("/health/").content.decode())
    assert "Engine: last proven 45 s ago, which counts for 20 s." in page
    assert "Radio: failing. Not checked yet. Not proven since this process started." in page
    assert json.dumps(board.report(), indent=2) in page
    assert "What the probe answers: <code>503</code>" in page


def test_each_part_has_its_day_in_words(board: Board, viewer: User, sign_in: SignIn, noon: object):
    first = NOW - timedelta(hours=24)
    day = [Minute(first + n * timedelta(minutes=1), 60, {"engine": "ok", "console": "ok"}) for n in range(1440)]
    day[850].states, day[850].faults = {"engine": "failing", "console": "failing"}, {"engine": "out of fuel"}
    write_minutes(day, writer="one:1")
    page = sign_in(viewer).get("/health/").content.decode()
    for words in ("Console, 24 h: not ready 02:10–02:11", "Engine, 24 h: failing 02:10–02:11", "out of fuel"):
        assert words in page
    assert "Radio, 24 h: no record all the time" in page


def test_it_takes_one_query_for_the_history(board: Board, noon: object, db: None, django_assert_num_queries):
    with django_assert_num_queries(1):
        health_page(board, board.report(), NOW)


def test_a_person_without_a_role_does_not(stranger: User, sign_in: SignIn):
    assert sign_in(stranger).get("/health/").status_code == 403


def test_nobody_is_sent_to_sign_in(db: None):
    assert Client().get("/health/").headers["Location"] == "/login/?next=/health/"
