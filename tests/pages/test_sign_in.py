"""Signing in: with a rate, so that passwords can't be tried at speed."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.cast import PASSWORD

pytestmark = pytest.mark.django_db


def tries(name: str, password: str, times: int) -> list[int]:
    return [Client().post("/login/", {"username": name, "password": password}).status_code for _ in range(times)]


def test_the_right_password_signs_in(viewer: User):
    assert tries(viewer.username, PASSWORD, 1) == [302]


def test_more_than_ten_tries_a_minute_are_told_to_wait(viewer: User, time_machine):
    time_machine.move_to("2026-11-22T21:00:01Z", tick=False)
    assert tries(viewer.username, "wrong", 11) == [200] * 10 + [429]
    refused = Client().post("/login/", {"username": viewer.username.upper(), "password": PASSWORD})
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert "Wait" in refused.content.decode()
    time_machine.move_to("2026-11-22T21:01:01Z", tick=False)
    assert tries(viewer.username, PASSWORD, 1) == [302]


def test_one_name_does_not_shut_out_another(viewer: User, time_machine):
    time_machine.move_to("2026-11-22T21:00:01Z", tick=False)
    tries("somebody", "wrong", 12)
    assert tries(viewer.username, PASSWORD, 1) == [302]
