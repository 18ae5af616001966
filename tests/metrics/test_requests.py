"""A request is counted under its URL pattern, whatever its path says."""

from typing import Any, NoReturn

import pytest
from django.test import Client

from agentconsole.sockets import BodyLimit
from runs.models import Run
from tests.cast import AgentCaller
from tests.ingest.items import new_run, whole_run

pytestmark = pytest.mark.django_db
REQUESTS = "agentconsole_http_requests_total"


def test_pages_of_two_runs_are_one_route(agent: AgentCaller, viewer, sign_in, moved) -> None:
    agent.send(*whole_run(new_run()), *whole_run(new_run()))
    pages = moved(REQUESTS, method="GET", route="runs/<uuid:run_id>/", status="200")
    timed = moved("agentconsole_http_request_duration_seconds_count", route="runs/<uuid:run_id>/")
    browser = sign_in(viewer)
    for run in Run.objects.all():
        browser.get(f"/runs/{run.id}/")
    assert (pages(), timed()) == (2, 2)


def test_paths_that_nothing_answers_are_one_route(client: Client, moved) -> None:
    unknown, all_requests = moved(REQUESTS, route="unmatched", status="404"), moved(REQUESTS)
    for path in ("/wp-login.php", "/.git/config"):
        client.get(path)
    assert (unknown(), all_requests()) == (2, 2)


def test_a_made_up_method_is_one_of_the_others(client: Client, moved) -> None:
    others = moved(REQUESTS, method="other")
    client.generic("BREW", "/")
    client.generic("STEEP", "/")
    assert others() == 2


def test_the_home_page_has_a_route_too(client: Client, moved) -> None:
    home = moved(REQUESTS, route="/", status="302")
    client.get("/")
    assert home() == 1


async def test_a_body_that_is_refused_before_django_is_counted_too(moved) -> None:
    refused = moved(REQUESTS, method="POST", route="too large", status="413")
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/", "headers": [(b"content-length", b"999999999")]}
    await BodyLimit(unreachable)(scope, unreachable, send)
    assert (refused(), sent[0]["status"]) == (1, 413)


async def unreachable(*args: Any) -> NoReturn:
    """Neither the application nor the body is asked for."""
    raise AssertionError
