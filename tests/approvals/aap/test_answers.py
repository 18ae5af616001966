"""Whatever is sent below `/api/aap`, the answer is the protocol's: its object or its error, and a UUID for the exchange."""

from typing import Any

import pytest
from agentapprovalprotocol._wire import loads, parse_request
from django.contrib.auth.models import User
from django.db import OperationalError
from django.test import Client

from agentconsole.protocol.ids import uuid7
from approvals.models import Action, Drift
from approvals.services.provisioners import issue_provisioner
from runs.services.credentials import revoke_credential
from tests.approvals.aap.calls import call, refusal, request_text
from tests.approvals.asking import ask_for, decide, policy
from tests.cast import AgentCaller

pytestmark = pytest.mark.django_db


def test_a_request_comes_back_with_what_was_sent_and_nothing_else(agent: AgentCaller):
    arguments = '{"b":1.0,"a":[9007199254740993,-0,null,{"":"\\u202e\\u0000"}]}'
    sent = request_text(arguments=arguments, agent_reasoning='""', context='{"x":1E2}', server='"k8s"')
    answer = call(agent, "POST", body=sent)
    assert answer.status_code == 201
    assert '"arguments":{"b":1.0,"a":[9007199254740993,-0,null,' in answer.content.decode()
    assert '"context":{"x":1E2}' in answer.content.decode()
    made = parse_request(loads(answer.content))
    assert (made.agent_reasoning, made.server, made.status) == ("", "k8s", "pending")
    bare = loads(call(agent, "POST", body=request_text()).content)
    assert not bare.keys() & {"agent_reasoning", "context", "server", "decision", "consumption"}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (request_text(context="null"), (400, "invalid_request", "context")),
        (request_text(arguments='{"a":1,"a":2}'), (400, "invalid_request", "a")),
        (request_text(arguments='{"a":NaN}'), (400, "invalid_request", "")),
        (request_text(arguments='{"a":"\\udfff"}'), (400, "invalid_request", "arguments.a")),
        (request_text(arguments='{"a":' + "[" * 64 + "]" * 64 + "}"), (400, "invalid_request", "")),
        (request_text(arguments='{"a":1e99999999999999999999}'), (400, "invalid_request", "")),
        (request_text(tool='"\\u0000"'), (400, "invalid_request", "tool")),
        (request_text(context='{"agentconsole":{"summary":"\\u0000"}}'), (400, "invalid_submission", "context.agentconsole.summary")),
        (request_text(arguments='{"x":"' + "x" * 1_000_000 + '"}'), (400, "request_too_large", "")),
        ("", (400, "invalid_request", "")),
    ],
    ids=lambda value: str(value)[:60],
)  # fmt: skip
def test_nonsense_is_told_what_is_wrong_with_it(agent: AgentCaller, body: str, expected: tuple[int, str, str]):
    assert refusal(call(agent, "POST", body=body)) == expected
    assert not Action.objects.exists()


def test_numbers_and_texts_at_the_edge_go_all_the_way(agent: AgentCaller, operator: User):
    arguments = '{"a\\u0000":"b\\u0000","n":%s,"m":1e99999999999999,"__proto__":{"":[]}}' % ("9" * 20_000)
    asked = call(agent, "POST", body=request_text(arguments=arguments))
    action = Action.objects.get()
    decide(operator, action)
    said = f'{{"action":{{"tool":"restart","arguments":{arguments}}}}}'
    claimed = call(agent, "POST", f"/{action.id}/consume", said)
    assert (asked.status_code, claimed.status_code) == (201, 200)
    assert f'"arguments":{arguments}'.encode() in claimed.content


def test_a_drift_in_a_key_with_nul_is_recorded(agent: AgentCaller, operator: User):
    action = decide(operator, ask_for(agent))
    said = '{"action":{"tool":"restart","arguments":{"a\\u0000":1}}}'
    answer = call(agent, "POST", f"/{action.id}/consume", said)
    assert answer.status_code == 409
    assert {change["path"] for change in Drift.objects.get().changes} >= {"$.arguments['a\\u0000']"}


def test_a_drift_can_not_be_hidden_behind_a_key_that_was_used_before(
    agent: AgentCaller, admin: User, operator: User
) -> None:
    policy(admin, {"name": "careful", "answer": "ask", "mode": "pending"})
    action = decide(operator, ask_for(agent))
    for key in (f"supersedes:{action.id}", f" supersedes:{action.id}"):
        call(agent, "POST", body=request_text(), Idempotency_Key=key)
    said = '{"action":{"tool":"restart","arguments":{"service":"payments"}}}'
    answer = call(agent, "POST", f"/{action.id}/consume", said)
    assert answer.json()["details"]["superseding"] == str(Action.objects.get(supersedes=action).id)
    assert Drift.objects.get().is_allowed is False


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "", "POST"),
        ("OPTIONS", "", "POST"),
        ("PUT", "/{id}", "GET, HEAD, DELETE"),
        ("POST", "/{id}", "GET, HEAD, DELETE"),
        ("GET", "/{id}/consume", "POST"),
        ("PROPFIND", "/{id}/outcome", "POST"),
    ],
)
def test_a_method_that_a_path_does_not_have(agent: AgentCaller, method: str, path: str, allowed: str):
    answer = call(agent, method, path.format(id=ask_for(agent).id))
    assert refusal(answer) == (405, "method_not_allowed", "")
    assert answer.headers["Allow"] == allowed


@pytest.mark.parametrize("path", ["/", "/{id}/", "/{id}/approve", "/{id}/consume/", "/../../v1", "//{id}"])
def test_a_path_that_the_protocol_does_not_have(agent: AgentCaller, path: str):
    assert refusal(call(agent, "POST", path.format(id=ask_for(agent).id)))[:2] == (404, "not_found")


@pytest.mark.parametrize("path", ["/x", "/7ab8c8ec-7b2d-4fd6-9b52-752f9515eb71", "/null", "/%00", "/%F0%9F%92%A9"])
def test_a_request_that_nobody_made(agent: AgentCaller, path: str):
    for method, rest in (("GET", ""), ("DELETE", ""), ("POST", "/consume")):
        assert refusal(call(agent, method, path + rest)) == (404, "not_found", "")


def test_another_instances_request_reads_as_one_that_is_not_there(agent: AgentCaller, other_instance: AgentCaller):
    action = ask_for(agent)
    theirs = call(other_instance, "GET", f"/{action.id}").json()["error"]
    nobodys = call(other_instance, "GET", f"/{uuid7()}").json()["error"]
    assert {**theirs, "request_id": ""} == {**nobodys, "request_id": ""}


def test_another_content_type(agent: AgentCaller):
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        answer = call(agent, "POST", body=request_text(), Content_Type=kind)
        assert refusal(answer) == (400, "invalid_request", "Content-Type")
    assert call(agent, "POST", body=request_text(), Content_Type="application/json; charset=utf-8").status_code == 201


def test_credentials_that_open_nothing(agent: AgentCaller):
    token = agent.token
    for sent in ("", "Bearer", "Bearer x", "Basic eDp5", f"Bearer {token}x", f"Bearer {token} {token}", "Bearer é"):
        answer = call(agent, "POST", body=request_text(), Authorization=sent)
        assert refusal(answer)[:2] == (401, "unauthorized")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    revoke_credential(actor="ada", instance_id=agent.instance.id)
    assert refusal(call(agent, "POST", body=request_text()))[0] == 401
    assert not Action.objects.exists()


def test_a_provisioners_token_asks_for_nothing(agent: AgentCaller):
    made = issue_provisioner(actor="person:ada", environment="dev", agent="triage", name="ci")
    answer = call(agent, "POST", body=request_text(), Authorization=f"Bearer {made.token}")
    assert refusal(answer) == (403, "forbidden", "")


def test_a_session_is_no_credential(agent: AgentCaller, admin: User):
    action = ask_for(agent)
    client = Client()
    client.force_login(admin)
    assert refusal(client.get(f"/api/aap/v1/requests/{action.id}"))[0] == 401
    assert refusal(client.delete(f"/api/aap/v1/requests/{action.id}"))[0] == 401


def test_the_exchange_is_named_by_a_uuid_the_callers_own_if_it_is_one(agent: AgentCaller):
    own = "1184dfc5-0e86-4f88-9b68-882b1dc60467"
    assert call(agent, "GET", "/x", X_Request_ID=own).headers["X-Request-ID"] == own
    other = call(agent, "GET", "/x", X_Request_ID="req_mine")
    assert refusal(other)[0] == 404
    assert other.headers["X-Request-ID"] != "req_mine"


def test_a_credential_beyond_its_rate_is_told_when_to_come_back(agent: AgentCaller, settings: Any):
    settings.AAP_RATE = 2
    answers = [call(agent, "GET", f"/{uuid7()}") for _ in range(5)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert refusal(refused[0])[1] == "rate_limited"
    assert 1 <= int(refused[0].headers["Retry-After"]) <= 10


@pytest.mark.parametrize(("broken", "status"), [(OperationalError("gone"), 503), (KeyError("hunter2"), 500)])
def test_what_breaks_is_told_without_its_insides(agent: AgentCaller, monkeypatch: Any, broken: Exception, status: int):
    def fail(**_: Any) -> Any:
        raise broken

    monkeypatch.setattr("approvals.aap.views.ask", fail)
    answer = call(agent, "POST", body=request_text())
    assert refusal(answer)[0] == status
    assert "hunter2" not in answer.content.decode()
    assert ("Retry-After" in answer.headers) == (status == 503)


def test_a_plain_claim_gets_exactly_the_protocols_object(agent: AgentCaller, operator: User):
    plain, said = decide(operator, ask_for(agent)), decide(operator, ask_for(agent))
    answer = call(agent, "POST", f"/{plain.id}/consume", Content_Type="text/plain")
    assert parse_request(loads(answer.content)).consumption
    body = '{"action":{"tool":"restart","arguments":{"grace_s":30.0,"service":"checkout"}}}'
    more = call(agent, "POST", f"/{said.id}/consume", body).json()
    assert more.keys() - answer.json().keys() == {"action", "fingerprint", "grant"}
    assert more["fingerprint"] == said.fingerprint


def test_an_answer_is_never_cached(agent: AgentCaller):
    action = ask_for(agent)
    for answer in (call(agent, "GET", f"/{action.id}"), call(agent, "GET", "/x")):
        assert answer.headers["Cache-Control"] == "no-store"
