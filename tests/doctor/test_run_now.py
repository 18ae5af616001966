"""The button: operators have the doctor run, and are led to where its run will appear."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from celery import signals
from django.contrib.auth.models import User
from django.test import Client

from agentconsole.celery import CONTEXT_HEADER

pytestmark = pytest.mark.django_db(transaction=True)
SignIn = Callable[[User], Client]


@pytest.fixture
def sent() -> Iterator[list[dict[str, Any]]]:
    """The messages that reached the broker."""
    messages: list[dict[str, Any]] = []

    def keep(headers: dict[str, Any], body: Any, **kwargs: Any) -> None:
        messages.append({"task": headers["task"], "kwargs": body[1], "context": headers[CONTEXT_HEADER]})

    signals.after_task_publish.connect(keep)
    yield messages
    signals.after_task_publish.disconnect(keep)


def test_an_operator_is_led_to_the_request(operator: User, sign_in: SignIn, sent: list[dict[str, Any]]):
    answer = sign_in(operator).post("/agents/doctor/run", headers={"X-Request-ID": "req-click"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/r/req-click")
    [message] = sent
    assert (message["task"], message["kwargs"]) == ("runs.tasks.run_doctor", {"asked_by": "user:omar"})
    assert message["context"] == {
        "request_id": "req-click",
        "transport": "web",
        "actor": "user:omar",
    }


def test_a_viewer_may_not(viewer: User, sign_in: SignIn, sent: list[dict[str, Any]]):
    assert sign_in(viewer).post("/agents/doctor/run").status_code == 403
    assert sent == []


def test_a_stranger_is_sent_to_the_login(client: Client, sent: list[dict[str, Any]]):
    assert client.post("/agents/doctor/run").headers["Location"].startswith("/login/")
    assert sent == []


def test_looking_at_it_does_nothing(operator: User, sign_in: SignIn, sent: list[dict[str, Any]]):
    assert sign_in(operator).get("/agents/doctor/run").status_code == 405
    assert sent == []


def test_a_doctor_that_is_switched_off_says_so(operator: User, sign_in: SignIn, settings: Any):
    settings.DOCTOR_ENABLED = False
    answer = sign_in(operator).post("/agents/doctor/run")
    assert answer.status_code == 409
    assert "DOCTOR_ENABLED=on" in answer.content.decode()


@pytest.mark.parametrize("page", ["/agents/", "/runs/"])
def test_the_button_is_where_a_newcomer_looks(operator: User, viewer: User, sign_in: SignIn, settings: Any, page: str):
    assert "Run the doctor now" in sign_in(operator).get(page).content.decode()
    assert "Run the doctor now" not in sign_in(viewer).get(page).content.decode()
    settings.DOCTOR_ENABLED = False
    assert "Run the doctor now" not in sign_in(operator).get(page).content.decode()
