"""Delegation tokens: a person's word, for one agent, one environment, one request, for ten minutes. Every other use is refused."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from joserfc import jws
from joserfc.jwk import OctKey, OKPKey

from agentconsole.sdk import GrantRefused, verify_grant
from approvals.models import Action, AuditEntry
from approvals.services.claiming import consume_action
from approvals.services.delegation import TTL_S, DelegationError, mint_delegation, read_delegation
from approvals.services.grants import jwks, sign_claims
from approvals.services.keys import ensure_signing_key, rotate_signing_key
from tests.approvals.asking import RESTART, ask_for, claimed, decide
from tests.cast import AgentCaller

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("whole_chain")]
NOW = timezone.now()
FOR: dict[str, Any] = {"agent": "triage", "environment": "dev"}


def minted(person: User, **changes: Any) -> str:
    return mint_delegation(**{"person": person, **FOR, "request_id": "r-1", "now": NOW, **changes})


def refusal(token: str, **changes: Any) -> str:
    """Why a token is refused."""
    with pytest.raises(DelegationError) as refused:
        read_delegation(token, **{**FOR, "now": NOW, **changes})
    assert refused.value.code == "invalid_delegation"
    assert token[:20] not in refused.value.message or not token
    return str(refused.value.data["reason"])


def forged(header: dict[str, Any], key: Any) -> str:
    claims = {"sub": "dana", "jti": "j", "request_id": "r-1", "exp": 9e12, **FOR}
    return jws.serialize_compact(header, json.dumps(claims), key, algorithms=[header["alg"]])


def test_it_proves_who_sent_the_agent_on_what_request(dana: User):
    found = read_delegation(minted(dana), **FOR, now=NOW, request_id="r-1")
    assert (found.person, found.request_id) == ("dana", "r-1")
    assert found.delegation_id != read_delegation(minted(dana), **FOR, now=NOW).delegation_id


def test_it_outlives_a_rotation_of_the_keys(dana: User):
    token = minted(dana)
    rotate_signing_key(actor="console")
    assert read_delegation(token, **FOR, now=NOW).person == "dana"


def test_a_delegation_that_has_expired(dana: User):
    token = minted(dana)
    assert read_delegation(token, **FOR, now=NOW + timedelta(seconds=TTL_S - 1))
    assert refusal(token, now=NOW + timedelta(seconds=TTL_S)) == "expired"


def test_a_delegation_given_to_another_agent(dana: User):
    assert refusal(minted(dana), agent="other") == "not_yours"


def test_a_delegation_given_in_another_environment(dana: User):
    assert refusal(minted(dana), environment="prod") == "not_yours"


def test_a_delegation_given_for_another_request(dana: User):
    assert refusal(minted(dana), request_id="r-2") == "other_request"
    assert read_delegation(minted(dana, request_id=""), **FOR, now=NOW, request_id="r-2").person == "dana"


def test_a_delegation_of_somebody_whose_account_was_closed(dana: User):
    token = minted(dana)
    User.objects.filter(username="dana").update(is_active=False)
    assert refusal(token) == "no_such_person"


def test_a_delegation_signed_by_somebody_else(dana: User):
    minted(dana)
    own = OKPKey.generate_key("Ed25519")
    assert refusal(forged({"alg": "Ed25519", "kid": ensure_signing_key().kid, "typ": "acd+jwt"}, own)) == "forged"
    header = {"alg": "Ed25519", "kid": own.thumbprint(), "typ": "acd+jwt", "jwk": own.as_dict(private=False)}
    assert refusal(forged(header, own)) == "forged"


def test_a_delegation_with_the_public_key_for_a_secret(dana: User):
    minted(dana)
    public = ensure_signing_key().public
    header = {"alg": "HS256", "kid": public["kid"], "typ": "acd+jwt"}
    assert refusal(forged(header, OctKey.import_key(public["x"]))) == "forged"


def test_a_delegation_whose_person_was_swapped(dana: User):
    mine, theirs = minted(dana).split("."), minted(User(username="eve")).split(".")
    assert refusal(".".join([mine[0], theirs[1], mine[2]])) == "forged"


@pytest.mark.parametrize(
    "token",
    ["x", "", "..", "eyJhbGciOiJub25lIn0.e30.", "eyJhbGciOiJFZDI1NTE5IiwiY3JpdCI6NX0.e30.eA", "\udcff.a.b", "W" * 90_000 + ".a.b"],
    ids=["a word", "nothing", "dots", "algorithm none", "a header of no sense", "half a character", "90,000 brackets"],
)  # fmt: skip
def test_something_that_is_no_delegation_at_all(dana: User, token: str):
    minted(dana)
    assert refusal(token) == "forged"


def test_a_delegation_before_the_console_ever_signed(environments: None):
    assert refusal("eyJhbGciOiJFZDI1NTE5In0.e30.eA") == "forged"


def test_a_grant_shown_as_a_delegation(agent: AgentCaller, operator: User, dana: User):
    action = decide(operator, ask_for(agent))
    won = consume_action(instance=agent.instance, action_id=action.id, idempotency_key="k", claimed=claimed(RESTART))
    assert won.grant is not None
    assert refusal(won.grant) == "wrong_type"
    claims = {"kid": ensure_signing_key().kid, "sub": "dana", "exp": 9e12, "request_id": "r", "jti": "j", **FOR}
    assert refusal(sign_claims(claims, "acg+jwt")) == "wrong_type"


def test_a_delegation_shown_as_a_grant(dana: User, settings: Any):
    with pytest.raises(GrantRefused) as refused:
        verify_grant(
            minted(dana), jwks=jwks(), audience="restart", issuer=settings.CONSOLE_URL, tool="restart", arguments={}
        )
    assert refused.value.code == "wrong_type"


def test_a_refused_delegation_asks_nothing(agent: AgentCaller, dana: User):
    with pytest.raises(DelegationError, match="Leave it out"):
        ask_for(agent, delegation=minted(dana, agent="other", now=timezone.now()))
    assert not Action.objects.exists()
    kept = AuditEntry.objects.get(token="APPROVAL_REQUEST_REFUSED")
    assert (kept.actor, json.loads(kept.data)) == (
        f"agent:triage/{agent.instance.name}", {"code": "invalid_delegation", "reason": "not_yours"},
    )  # fmt: skip
