"""Where the protocol's FakeProvider and its specification differ, we do as the specification says. Each difference by its name."""

import json

import httpx
import pytest
from agentapprovalprotocol._wire import loads, parse_request
from agentapprovalprotocol.testing import BASE_URL, TOKEN, FakeProvider

from tests.approvals.aap.calls import call, refusal, request_text
from tests.cast import AgentCaller

pytestmark = pytest.mark.django_db


@pytest.fixture
def fake() -> FakeProvider:
    """It decides nothing by itself."""
    return FakeProvider(auto=None)


def fakes(fake: FakeProvider, body: str, key: str = "k", token: str = TOKEN) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
    return fake.handle(httpx.Request("POST", f"{BASE_URL}/v1/requests", headers=headers, content=body.encode()))


@pytest.mark.parametrize(
    "field", [{"unknown": "1"}, {"context": "null"}, {"tool": '""'}, {"timeout": '"soon"'}], ids=str
)
def test_protocol_objects_reject_unknown_fields_nulls_and_other_types(
    agent: AgentCaller, fake: FakeProvider, field: dict[str, str]
) -> None:
    """Specification, HTTP API, Conventions."""
    assert fakes(fake, request_text(**field)).status_code == 201
    assert refusal(call(agent, "POST", body=request_text(**field)))[0] == 400


def test_a_replay_is_compared_by_values_not_by_spelling(agent: AgentCaller, fake: FakeProvider):
    """Specification, Idempotency and Retries: whitespace and key order do not change the request; 1.0 and 1 are one value."""
    first, again = request_text(arguments='{"a":1.0,"b":"é"}'), request_text(arguments='{ "b":"\\u00e9", "a":1 }')
    assert [fakes(fake, body).status_code for body in (first, again)] == [201, 409]
    ours = [call(agent, "POST", body=body, Idempotency_Key="k") for body in (first, again)]
    assert [answer.status_code for answer in ours] == [201, 200]
    assert ours[0].content == ours[1].content


def test_the_deadline_is_never_later_than_was_asked(agent: AgentCaller, fake: FakeProvider):
    """Specification, Deadlines: a provider may shorten the window, but must not lengthen it."""
    body = request_text(timeout='"10s"')
    for answer, seconds in ((fakes(fake, body), 1800), (call(agent, "POST", body=body), 10)):
        request = parse_request(loads(answer.content))
        assert round((request.deadline_at - request.created_at).total_seconds()) == seconds


def test_every_error_has_a_body_and_every_answer_names_its_exchange(agent: AgentCaller, fake: FakeProvider):
    """Specification, Errors."""
    theirs = fakes(fake, request_text(), token="other")
    ours = call(agent, "POST", body=request_text(), Authorization="Bearer other")
    assert (theirs.status_code, theirs.content) == (401, b"")
    assert refusal(ours)[0] == 401
    assert "X-Request-ID" in call(agent, "POST", body=request_text()).headers


def test_numbers_come_back_exactly(agent: AgentCaller, fake: FakeProvider):
    """OpenAPI, ToolArguments: values retain their original spelling and types."""
    body = request_text(arguments='{"n":0.1000000000000000055511151231257827,"m":1.0}')
    assert '"n":0.1,' in json.dumps(fakes(fake, body).json(), separators=(",", ":"))
    assert b'{"n":0.1000000000000000055511151231257827,"m":1.0}' in call(agent, "POST", body=body).content
