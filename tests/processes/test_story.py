"""One grep for one request id, over the logs of all processes, tells the whole story in its order."""

import re
import subprocess

import httpx
import pytest

from tests.processes.running import RunningConsole, parsed, wait_for

pytestmark = pytest.mark.processes
REQUEST_ID = "req_the-story-of-one-click"


@pytest.fixture
def up(console: RunningConsole) -> RunningConsole:
    """A console with its doctor, free to be asked."""
    console.env = {**console.env, "DOCTOR_ENABLED": "on"}
    console.start()
    wait_for("the doctor's first run is over", lambda: has_run_its_doctor(console), within_s=90)
    return console


def has_run_its_doctor(console: RunningConsole) -> bool:
    """Whether the task that started with the console is done: its run ended, or was stopped after a minute."""
    return any(line["task"] == "runs.tasks.run_doctor" for line in console.logged("TASK_FINISHED"))


@pytest.fixture
def clicked(up: RunningConsole) -> httpx.Response:
    """The answer to the admin's click on "Run now"."""
    with httpx.Client(base_url=up.url, timeout=10) as browser:
        door = {"csrfmiddlewaretoken": csrf_of(browser.get("/login/")), "username": "admin", "password": up.password}
        browser.post("/login/", data=door)
        form = {"csrfmiddlewaretoken": csrf_of(browser.get("/settings/password"))}
        return browser.post("/agents/doctor/run", data=form, headers={"X-Request-ID": REQUEST_ID})


def csrf_of(page: httpx.Response) -> str:
    """The token in a page's form."""
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
    assert found, page.text
    return found[1]


def story(console: RunningConsole) -> list[tuple[str, str]]:
    """(token, part that logged it) of each line that `grep -h <id> logs/* | sort` prints."""
    logs = sorted(map(str, (console.var / "logs").iterdir()))
    found = subprocess.run(["grep", "-h", REQUEST_ID, *logs], check=False, capture_output=True, text=True).stdout
    return [(line["event"], line["logger"]) for line in map(parsed, sorted(found.splitlines()))]


def test_a_click_is_followed_through_every_process(up: RunningConsole, clicked: httpx.Response):
    assert clicked.headers["X-Request-ID"] == REQUEST_ID
    assert clicked.headers["Location"] == f"/r/{REQUEST_ID}"
    end = ("TASK_FINISHED", "agentconsole.celery")
    wait_for("the story's end", lambda: end in story(up), within_s=60)
    order = [
        ("DOCTOR_REQUESTED", "runs.services.doctor"),  # web
        ("TASK_ENQUEUED", "agentconsole.jobs"),
        ("TASK_STARTED", "agentconsole.celery"),  # worker
        ("DOCTOR_STARTED", "runs.doctor.agent"),  # the agent's own process
        ("DOCTOR_FINISHED", "runs.doctor.agent"),
        end,
    ]
    told = story(up)
    places = [told.index(step) for step in order]
    assert places == sorted(places), told
    # What the agent asked of the web process on the way is told in between.
    asked = [place for place, (token, _) in enumerate(told) if token == "REQUEST_FINISHED"]
    assert any(places[3] < place < places[4] for place in asked), told
