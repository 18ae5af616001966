"""`/r/<request id>` leads to the only run, lists them all, or waits for the first."""

from datetime import timedelta
from urllib.parse import quote

from django.utils import timezone

from runs.models import Environment
from tests.run_page.story import rich_run


def test_the_only_run_is_gone_to(browser, run, story):
    response = browser.get(f"/r/{story.request_id}")
    assert (response.status_code, response.url) == (302, f"/runs/{run.id}/")


def test_all_runs_of_a_request_are_listed(browser, run, story, send):
    other = rich_run(timezone.now() - timedelta(minutes=5))
    other.items[0][1]["request_id"] = story.request_id
    send(other, other.until(10))
    text = browser.get(f"/r/{story.request_id}").content.decode()
    assert f"/runs/{run.id}/" in text
    assert f"/runs/{other.run_id}/" in text


def test_a_request_of_which_nothing_came_says_so(browser):
    response = browser.get("/r/req_nothing_yet")
    assert response.status_code == 200
    assert "No run of this request yet" in response.content.decode()


def test_programs_are_told_in_json(browser, run, story):
    answer = browser.get(f"/r/{story.request_id}", headers={"Accept": "application/json"}).json()
    assert answer["runs"] == [{"url": f"/runs/{run.id}/", "agent": "triage", "status": "succeeded"}]


def test_a_request_id_may_hold_slashes(browser, story, send):
    story.items[0][1]["request_id"] = "ci/build/412"
    run = send(story, story.until(1))
    assert browser.get(f"/r/{quote('ci/build/412')}").url == f"/runs/{run.id}/"


def test_an_environment_that_is_hidden_reads_like_nothing(browser, run, story):
    Environment.objects.filter(name="dev").update(is_restricted=True)
    assert "No run of this request yet" in browser.get(f"/r/{story.request_id}").content.decode()


def test_what_is_no_request_id_is_refused(browser):
    assert browser.get("/r/%20nope").status_code == 400
