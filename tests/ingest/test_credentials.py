"""Instance credentials: shown once, kept as a keyed hash, bound, expiring, revocable, rated."""

from datetime import timedelta

import pytest
from django.utils import timezone

from runs.models import AgentInstance
from runs.services.credentials import (
    InstanceExistsError,
    InvalidNameError,
    issue_credential,
    revoke_credential,
    rotate_credential,
)
from tests.cast import AgentCaller
from tests.ingest.items import new_run, run_started

pytestmark = pytest.mark.django_db


def status(token: str, client) -> tuple[int, str]:
    answer = client.post("/api/v1/ingest", b"{}", content_type="application/json", headers={"Authorization": token})
    return answer.status_code, answer.json()["error"]["message"]


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic abc", "ac_x", "Bearer ac_unknown", "Bearer é"])
def test_no_credential_opens_nothing(client, db, header: str):
    answer = client.post("/api/v1/ingest", b"{}", content_type="application/json", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_the_token_is_nowhere_in_the_database(agent: AgentCaller):
    row = AgentInstance.objects.values().get(id=agent.instance.id)
    assert not any(agent.token in str(value) for value in row.values())
    assert agent.token.startswith(row["token_prefix"])


def test_a_revoked_credential_opens_nothing_and_says_so(agent: AgentCaller, client):
    revoke_credential(actor="ada", instance_id=agent.instance.id)
    code, message = status(f"Bearer {agent.token}", client)
    assert (code, "revoked" in message) == (401, True)


def test_an_expired_credential_opens_nothing_and_says_so(environments, client):
    yesterday = timezone.now() - timedelta(days=1)
    issued = issue_credential(actor="ada", environment="dev", agent="a", instance="i", expires_at=yesterday)
    code, message = status(f"Bearer {issued.token}", client)
    assert (code, "expired" in message) == (401, True)


def test_rotation_ends_the_old_and_keeps_name_and_environment(agent: AgentCaller, client):
    fresh = rotate_credential(actor="ada", instance_id=agent.instance.id)
    assert status(f"Bearer {agent.token}", client)[0] == 401
    renewed = AgentCaller(fresh.instance, fresh.token)
    assert renewed.send(run_started(new_run())).status_code == 200
    assert (renewed.instance.name, renewed.environment) == ("one", "dev")


def test_a_name_in_use_is_refused_by_name(agent: AgentCaller):
    with pytest.raises(InstanceExistsError, match="Rotate"):
        issue_credential(actor="ada", environment="dev", agent="triage", instance="one")


@pytest.mark.parametrize("name", ["", "Triage", "a b", "x" * 65, "../etc", "a\n"])
def test_a_name_of_another_form_is_refused(environments, name: str):
    with pytest.raises(InvalidNameError):
        issue_credential(actor="ada", environment="dev", agent=name, instance="one")


def test_its_last_use_is_kept(agent: AgentCaller):
    agent.send(run_started(new_run()))
    agent.instance.refresh_from_db()
    assert agent.instance.last_used_at is not None


def test_more_than_its_rate_is_told_to_come_back(agent: AgentCaller, settings, time_machine):
    time_machine.move_to("2026-11-22T21:00:01Z", tick=False)
    settings.INGEST_RATE = 2
    assert [agent.send(run_started(new_run())).status_code for _ in range(3)] == [200, 200, 429]
    refused = agent.send(run_started(new_run()))
    assert refused.json()["error"]["code"] == "rate_limited"
    assert 1 <= int(refused.headers["Retry-After"]) <= 10
    time_machine.move_to("2026-11-22T21:00:11Z", tick=False)
    assert agent.send(run_started(new_run())).status_code == 200
