"""One shape for every error: JSON for programs, a page for people, with the request's id on both."""

from unittest.mock import patch

import pytest
from django.db import OperationalError
from django.test import Client

pytestmark = pytest.mark.django_db


def test_a_path_that_is_not_there_is_a_page_for_people(client: Client):
    answer = client.get("/nowhere/", headers={"X-Request-ID": "req-7"})
    assert answer.status_code == 404
    assert "Nothing here" in answer.content.decode()
    assert "req-7" in answer.content.decode()


@pytest.mark.parametrize("path", ["/api/v1/nowhere", "/api/nowhere"])
def test_a_path_that_is_not_there_is_json_for_programs(client: Client, path: str):
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "not_found"
    assert answer.json()["error"]["request_id"] == answer.headers["X-Request-ID"]


@pytest.mark.parametrize(
    ("path", "broken"),
    [
        ("/runs/", "runs.access.role_of"),
        ("/api/v1/runs/01a2051c-1336-7511-825b-c6d52500feec/log", "runs.api.run_for"),
    ],
)
def test_a_bug_is_told_without_its_details(viewer, sign_in, path: str, broken: str):
    browser = sign_in(viewer)
    browser.raise_request_exception = False
    with patch(broken, side_effect=RuntimeError("the password is hunter2")):
        answer = browser.get(path)
    assert answer.status_code == 500
    assert "hunter2" not in answer.content.decode()
    assert answer.headers["X-Request-ID"] in answer.content.decode()


def test_a_page_says_so_when_the_database_is_away(viewer, sign_in):
    browser = sign_in(viewer)
    browser.raise_request_exception = False
    away = OperationalError("connection refused")
    with patch("django.db.backends.utils.CursorWrapper.execute", side_effect=away):
        answer = browser.get("/runs/")
    assert answer.status_code == 503
    assert "database" in answer.content.decode()
    assert int(answer.headers["Retry-After"]) > 0


def test_the_request_id_is_taken_over_where_it_is_sane(client: Client):
    assert client.get("/login/", headers={"X-Request-ID": "abc-1"}).headers["X-Request-ID"] == "abc-1"
    assert client.get("/login/", headers={"X-Request-ID": "a b"}).headers["X-Request-ID"].startswith("req_")


def test_a_forged_form_is_refused_on_a_page_of_ours(operator):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(operator)
    answer = browser.post("/agents/doctor/run")
    assert answer.status_code == 403
    assert "reload" in answer.content.decode()


def test_pages_and_files_are_sent_compressed(viewer, sign_in):
    browser = sign_in(viewer)
    for path in ("/runs/", "/static/css/base.css"):
        answer = browser.get(path, headers={"Accept-Encoding": "gzip"})
        assert answer.headers["Content-Encoding"] == "gzip"
        assert "Access-Control-Allow-Origin" not in answer.headers
        if answer.streaming:
            b"".join(answer.streaming_content)
            answer.close()
