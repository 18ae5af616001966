"""200 concurrent verdicts, cancellations, expiries and claims on one action, by several processes, on either database."""

import json
import os
import subprocess
import sys
import time
from collections import Counter

import pytest
from django.conf import settings
from django.contrib.auth.models import User

from approvals.models import Action, AuditEntry
from approvals.queries.audit import verify_chain
from approvals.services.asking import ask
from tests.approvals.asking import ask_for, claimed, decide, submission
from tests.cast import AgentCaller, make_person
from tests.live.test_web_processes import database_url
from tests.processes.running import ROOT

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

PROCESSES = 4
ENDS = ("APPROVAL_APPROVED", "APPROVAL_DENIED", "APPROVAL_EXPIRED", "APPROVAL_CANCELLED")


def race(action: Action, seed: int) -> Counter[str]:
    """What became of 4 × 50 tries."""
    env = os.environ | {
        "DATABASE_URL": database_url(),
        "SECRET_KEY": settings.SECRET_KEY,
        "CONSOLE_VAR": str(settings.VAR_DIR),
        "LOG_LEVEL": "ERROR",
    }
    start_at = str(time.time() + 4)
    racers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.approvals.racer", str(action.id), str(seed + number), start_at],
            cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True,
        )
        for number in range(PROCESSES)
    ]  # fmt: skip
    outcomes: Counter[str] = Counter()
    for racer in racers:
        printed, _ = racer.communicate(timeout=120)
        assert racer.returncode == 0
        outcomes.update(json.loads(printed.strip().splitlines()[-1]))
    return outcomes


@pytest.mark.parametrize("seed", [1, 200])
def test_one_terminal_outcome_one_claim_and_a_whole_chain(agent: AgentCaller, environments: None, seed: int):
    for number in range(10):
        make_person(f"racer{number}", "operator")
    action = ask_for(agent, timeout="3600s")
    outcomes = race(action, seed)
    assert sum(outcomes.values()) == 200
    action.refresh_from_db()
    tokens = Counter(AuditEntry.objects.filter(object=f"action:{action.id}").values_list("token", flat=True))
    assert sum(tokens[end] for end in ENDS) == 1
    assert tokens["APPROVAL_CLAIMED"] == outcomes["claim won"] <= 1
    assert outcomes["approve won"] + outcomes["deny won"] == tokens["APPROVAL_VOTED"] <= 1
    assert (action.status == "approved") >= (tokens["APPROVAL_CLAIMED"] == 1)
    assert verify_chain().broken == ""
    assert "internal_error" not in outcomes


def test_two_hundred_claims_have_one_winner(agent: AgentCaller, operator: User):
    from concurrent.futures import ThreadPoolExecutor

    from django.db import connection

    from agentconsole.errors import ConsoleError
    from approvals.services.claiming import consume_action

    action = decide(operator, ask_for(agent))

    def claim(number: int) -> str:
        try:
            consume_action(instance=agent.instance, action_id=action.id, idempotency_key=str(number), claimed=claimed())
        except ConsoleError as error:
            return error.code
        else:
            return "won"
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        told = Counter(threads.map(claim, range(200)))
    assert told == {"won": 1, "already_consumed": 199}
    assert verify_chain().entries == AuditEntry.objects.count()
    assert verify_chain().broken == ""


def test_one_key_asked_from_all_sides_is_one_action(agent: AgentCaller):
    from concurrent.futures import ThreadPoolExecutor

    from django.db import connection

    def asked(_number: int) -> tuple[str, bool]:
        try:
            found = ask(instance=agent.instance, submission=submission(), idempotency_key="one")
            return str(found.action.id), found.is_new
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(asked, range(40)))
    assert len({action_id for action_id, _is_new in answers}) == 1
    assert sum(is_new for _action_id, is_new in answers) == 1
