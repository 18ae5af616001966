"""The doctor in a real console: what it says about its own run is what is stored, and all of it happened."""

import re
import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.processes.running import RunningConsole, wait_for
from tests.processes.services import own_services

pytestmark = pytest.mark.processes
WITHIN_S = 60
NOISE = 250


@dataclass
class Examination:
    """A run of the doctor as a person reads it."""

    console: RunningConsole
    run: dict[str, Any]
    log: dict[str, Any]
    spans: list[dict[str, Any]]

    def span(self, name: str) -> dict[str, Any]:
        (found,) = [span for span in self.spans if span["name"] == name]
        return found

    def tokens(self) -> list[str]:
        return [event["token"] for event in self.log["events"]]


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningConsole]:
    """A console whose doctor has made its first run."""
    with own_services() as services:
        running = RunningConsole(tmp_path_factory.mktemp("doctor"), DOCTOR_ENABLED="on", **services)
        running.start()
        wait_for("the first run is over", lambda: running.logged("DOCTOR_FINISHED"), within_s=WITHIN_S)
        yield running
        running.end()


@pytest.fixture(scope="module")
def browser(console: RunningConsole) -> Iterator[httpx.Client]:
    """The first admin, signed in."""
    with httpx.Client(base_url=console.url, timeout=10) as client:
        door = {
            "csrfmiddlewaretoken": csrf_of(client.get("/login/")),
            "username": "admin",
            "password": console.password,
        }
        assert client.post("/login/", data=door).status_code == 302
        yield client


@pytest.fixture(scope="module")
def examination(console: RunningConsole, browser: httpx.Client) -> Examination:
    """The run that the admin asked for, on a console whose logs are full of refused credentials."""
    with httpx.Client(base_url=console.url, headers={"Authorization": "Bearer ac_wrong"}) as stranger:
        for _ in range(NOISE):
            assert stranger.post("/api/v1/ingest", json={"items": []}).status_code == 401
    form = {"csrfmiddlewaretoken": csrf_of(browser.get("/agents/"))}
    place = browser.post("/agents/doctor/run", data=form).headers["Location"]

    def ended() -> str:
        runs = browser.get(place, headers={"Accept": "application/json"}).json()["runs"]
        return next((run["url"] for run in runs if run["status"] not in ("running", "stalled")), "")

    path = wait_for("the run that was asked for has ended", ended, within_s=WITHIN_S)
    log = browser.get(f"/api/v1{path}log").json()
    spans = [browser.get(f"/api/v1{path}spans/{span['id']}").json() for span in log["spans"]]
    return Examination(console, log["run"], log, spans)


def csrf_of(page: httpx.Response) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
    assert found, page.text
    return found[1]


def is_open(port: int) -> bool:
    with closing(socket.socket()) as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_it_ends_well_within_its_time(examination: Examination):
    run = examination.run
    assert (run["status"], run["error"], run["agent"], run["environment"]) == ("succeeded", "", "doctor", "dev")
    assert (run["transport"], run["on_behalf_of"]) == ("web", "user:admin")


def test_it_goes_through_its_phases_with_signs_of_life_between(examination: Examination):
    entered = [tick["phase"] for tick in examination.log["ticks"] if tick["state"] == "entered"]
    assert entered == ["plan", "gather", "synthesise", "act"]
    alive = [tick["detail"] for tick in examination.log["ticks"] if tick["state"] == "alive"]
    assert any(detail.startswith("4 of 4 sub-agents answered") for detail in alive)


def test_its_sub_agents_work_at_the_same_time_and_answer(examination: Examination):
    subs = [span for span in examination.spans if span["kind"] == "subagent"]
    assert {span["name"] for span in subs} == {"storage", "queue", "ingest", "errors"}
    assert all(span["outcome"] == "ok" and span["result"]["text"] for span in subs)
    assert max(span["at"] for span in subs) < min(span["ended_at"] for span in subs)
    calls = [span for span in examination.spans if span["agent"] == "storage" and span["kind"] == "tool"]
    [storage] = [span["id"] for span in subs if span["name"] == "storage"]
    assert {span["parent"] for span in calls} == {storage}


def test_each_outcome_is_what_happened(examination: Examination):
    assert examination.span("disk_usage")["outcome"] in ("ok", "slow")
    assert examination.span("degraded_agents")["outcome"] == "empty"
    stranger = examination.span("read_without_session")
    assert (stranger["outcome"], stranger["retryable"]) == ("auth_failed", False)
    assert "HTTP 401" in stranger["message"]
    assert examination.span("log_search")["outcome"] in ("ok", "slow")


def test_a_port_that_refuses_is_degraded_and_its_circuit_opens(examination: Examination):
    if is_open(4317) or is_open(4318):
        probes = [span for span in examination.spans if span["name"] == "port_probe"]
        assert any(span["outcome"] in ("ok", "slow") for span in probes)
        return
    first, second = sorted((s for s in examination.spans if s["name"] == "port_probe"), key=lambda s: s["at"])
    assert (first["outcome"], second["outcome"]) == ("degraded", "degraded")
    assert (len(first["attempts"]), len(second["attempts"])) == (3, 2)
    assert first["hint"]["fallback_to"] == "POST /api/v1/ingest"
    assert "CIRCUIT_OPENED" in examination.tokens()


def test_a_long_answer_is_cut_and_says_so(examination: Examination):
    lines = examination.span("log_search")["result"]
    assert lines["chars"] > len(lines["text"])
    assert "TRUNCATED" in lines["text"]
    assert "RESULT_TRUNCATED" in examination.tokens()


def test_its_summary_is_true(examination: Examination):
    summary = examination.run["summary"]
    assert f"CREDENTIAL_REFUSED {NOISE}×" in summary
    assert "Every agent started with all of its tools." in summary
    assert "A run can't be read without signing in, as it should be." in summary
    assert "FINDING_MADE" in examination.tokens()


def test_it_proposes_nothing_where_nothing_is_past_its_retention(examination: Examination, browser: httpx.Client):
    [event] = [event for event in examination.log["events"] if event["token"] == "PRUNE_PROPOSED"]
    assert event["fields"] == {"runs": {}}
    assert "No run is past its retention." in examination.run["summary"]


def test_a_model_that_nobody_configured_is_not_missed(examination: Examination, browser: httpx.Client):
    page = browser.get("/agents/dev/doctor/").text
    assert "ready" in page
    assert "lacks" not in page
    assert "SYNTH_FALLBACK_TRIGGERED" not in examination.tokens()


def test_its_credential_is_nowhere_but_in_its_file(examination: Examination):
    var = examination.console.var
    token = (var / "doctor_token").read_text(encoding="ascii").strip()
    assert len(token) > 40
    holders = [path.name for path in var.rglob("*") if path.is_file() and token.encode() in path.read_bytes()]
    assert holders == ["doctor_token"]
    assert token not in str((examination.log, examination.spans))
    assert token not in examination.console.text
