"""Each leaked secret opens one incident, which names its source and never the secret."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.serializers import serialize
from django.db import connection, connections

from agentconsole.protocol.redaction import Hit
from runs.services.findings import Finding
from tests.cast import AgentCaller
from tests.ingest.items import event, new_run
from tests.leaks.findings import BEARER, TOKEN, incidents, leak
from traces.models import LeakIncident, LeakSource, Severity
from traces.services.leaks import SECRETS_A_BATCH, SOURCES_KEPT, record_findings


def test_a_header_in_a_tools_result_is_a_p1_that_names_its_source(agent: AgentCaller):
    run = leak(agent, result=BEARER)
    (incident,) = incidents()
    source = incident.sources.get()
    assert (incident.severity, incident.environment_id, incident.is_open) == (Severity.P1, "dev", True)
    assert (source.agent.name, source.source, source.place) == (
        "triage",
        "lookup_order",
        "result.headers.Authorization",
    )
    assert (source.door, str(source.run_id)) == ("ingest", run)
    assert TOKEN not in serialize("json", [incident, source])


def test_a_known_token_is_a_p2_and_a_telling_name_alone_a_p3(agent: AgentCaller):
    leak(agent, message=f"cloned with {TOKEN}")
    leak(agent, arguments={"db_password": "hunter2hunter2"})
    assert [one.severity for one in incidents()] == [Severity.P2, Severity.P3]


def test_the_same_secret_again_is_the_same_incident_wherever_it_stands(agent: AgentCaller):
    leak(agent, message=f"cloned with {TOKEN}")
    leak(agent, result={"log": f"Authorization: Bearer {TOKEN}"})
    (incident,) = incidents()
    assert (incident.seen, incident.severity, incident.sources.count()) == (2, Severity.P1, 2)


def test_environments_do_not_share_incidents(agent: AgentCaller, foreign_agent: AgentCaller):
    leak(agent, result=BEARER)
    leak(foreign_agent, result=BEARER)
    assert len({one.secret_hash for one in incidents()}) == 1
    assert {one.environment_id for one in incidents()} == {"dev", foreign_agent.environment}


def test_what_the_sdk_took_out_itself_is_an_incident_too(agent: AgentCaller):
    run = new_run()
    told = event(run, "SECRET_LEAK_BLOCKED", fields={"found": ["private_key in result.pem", "nonsense", 7]})
    agent.send(told)
    agent.send(event(run, "SECRET_LEAK_BLOCKED", fields={"found": ["private_key in result.pem"]}))
    (incident,) = incidents()
    assert incident.is_blocked_at_source
    assert (incident.detector, incident.seen, incident.severity) == ("private_key", 2, Severity.P1)


def test_who_sends_rubbish_opens_a_bounded_number(agent: AgentCaller):
    many = [Finding(Hit("github_token", f"result.{n}", str(n).encode())) for n in range(SECRETS_A_BATCH + 50)]
    record_findings(many, door="ingest", instance=agent.instance)
    assert LeakIncident.objects.count() == SECRETS_A_BATCH
    places = [Finding(Hit("github_token", f"result.{n}", b"one")) for n in range(SOURCES_KEPT + 20)]
    record_findings(places, door="ingest", instance=agent.instance)
    incident = LeakIncident.objects.get(seen=SOURCES_KEPT + 20)
    assert LeakSource.objects.filter(incident=incident).count() == SOURCES_KEPT


@pytest.mark.django_db(transaction=True)
def test_batches_at_once_open_one_incident(agent: AgentCaller):
    finding = Finding(Hit("github_token", "result", b"one"), is_tool=True)

    def record(_: int) -> None:
        try:
            record_findings([finding], door="ingest", instance=agent.instance)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(record, range(8)))
    connection.close()
    assert [one.seen for one in incidents()] == [8]
