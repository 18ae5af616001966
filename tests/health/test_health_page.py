"""The health page says in words what the probe answers."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client

from agentconsole.health import views
from agentconsole.health.board import Board
from agentconsole.health.components import Proof
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


def test_a_person_without_a_role_does_not(stranger: User, sign_in: SignIn):
    assert sign_in(stranger).get("/health/").status_code == 403


def test_nobody_is_sent_to_sign_in(db: None):
    assert Client().get("/health/").headers["Location"] == "/login/?next=/health/"
