"""The doctor's pruning: it asks, waits, comes back for the answer, and prunes under the grant, once."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest
from django.conf import settings
from django.contrib.auth.models import User

from approvals.models import Action, Verdict
from runs.models import Run
from tests.approvals.asking import decide
from tests.cast import AgentCaller, make_agent
from tests.live.test_web_processes import database_url, web_process
from tests.processes.running import ROOT
from tests.sweeps.runs import ended_run

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


@pytest.fixture
def doctor(environments: None) -> AgentCaller:
    """Its credential, and three runs of it that are past their retention."""
    made = make_agent("dev", "doctor")
    for _ in range(3):
        ended_run(made, days_ago=40)
    return made


@pytest.fixture
def url(doctor: AgentCaller) -> Iterator[str]:
    """A running console, its ticket not there yet."""
    (settings.VAR_DIR / "doctor_ticket.json").unlink(missing_ok=True)
    with web_process() as address:
        yield address


def examine(url: str, doctor: AgentCaller) -> Run:
    """One run of the doctor in its own process."""
    context = {"request_id": "req-doctor", "transport": "schedule", "actor": "agent:doctor/one", "environment": "dev"}
    env = os.environ | {
        "CONSOLE_URL": url, "CONSOLE_TOKEN": doctor.token, "CONSOLE_VAR": str(settings.VAR_DIR),
        "SECRET_KEY": settings.SECRET_KEY, "DATABASE_URL": database_url(), "DOCTOR_CONTEXT": json.dumps(context),
        "LOG_LEVEL": "WARNING",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "runs.doctor"], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return Run.objects.latest("started_at")


def test_it_asks_comes_back_and_prunes_what_was_approved(url: str, doctor: AgentCaller, operator: User):
    first = examine(url, doctor)
    action = Action.objects.get()
    assert "waits for a person under Approvals" in first.summary
    assert (action.status, action.operation, action.run_id) == ("pending", "runs.prune", first.id)
    assert Run.objects.count() == 4
    decide(operator, action)
    second = examine(url, doctor)
    assert "Pruned, as approved: 3 runs of dev." in second.summary
    assert Run.objects.count() == 2
    action.refresh_from_db()
    assert action.lifecycle == "succeeded"


def test_a_rejected_proposal_prunes_nothing_and_is_forgotten(url: str, doctor: AgentCaller, operator: User):
    examine(url, doctor)
    decide(operator, Action.objects.get(), Verdict.DENY, "we need them")
    assert "we need them" in examine(url, doctor).summary
    assert Run.objects.count() == 5
    assert not (settings.VAR_DIR / "doctor_ticket.json").exists()


@pytest.mark.parametrize("grant", ["", "x", "eyJhbGciOiJub25lIn0.e30."])
def test_nothing_is_pruned_without_a_grant(url: str, doctor: AgentCaller, grant: str):
    headers = {**doctor.headers, "X-Console-Grant": grant}
    answer = httpx.post(f"{url}/api/v1/tools/prune_runs", json={"before": "2026-01-01T00:00:00Z"}, headers=headers)
    assert answer.status_code == (403 if grant else 401)
    assert Run.objects.count() == 3
