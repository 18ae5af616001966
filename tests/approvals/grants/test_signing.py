"""Grants and the keys that sign them: one key at a time, rotated without a gap, withdrawn at once if it leaked."""

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone
from joserfc import jws
from joserfc.jwk import KeySet, OKPKey
from joserfc.util import urlsafe_b64decode

from agentconsole.sdk import GrantRefused, verify_grant
from agentconsole.secrets import UnsealError, seal, unseal
from approvals.models import AuditEntry, SigningKey
from approvals.queries.audit import verify_chain
from approvals.services.claiming import consume_action
from approvals.services.delegation import TTL_S
from approvals.services.grants import grant_for, jwks, sign_grant
from approvals.services.keys import VERIFIES_FOR, ensure_signing_key, private_key, rotate_signing_key
from tests.approvals.asking import RESTART, ask_for, claimed, decide
from tests.cast import AgentCaller

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("whole_chain")]


def grant_of(agent: AgentCaller, operator: User, **fields: Any) -> str:
    """The grant of a fresh claim."""
    action = decide(operator, ask_for(agent, **fields))
    return claim(agent, action.id, "k", **fields)


def claim(agent: AgentCaller, action_id: Any, key: str, **fields: Any) -> str:
    said = claimed(RESTART, **{name: fields[name] for name in ("server",) if name in fields})
    won = consume_action(instance=agent.instance, action_id=action_id, idempotency_key=key, claimed=said)
    assert won.grant is not None
    return won.grant


def opened(token: str, settings: Any, audience: str = "restart", **call: Any) -> bool:
    """Whether a tool server that asks the console for its keys now lets the call through."""
    call = {"tool": "restart", "arguments": RESTART, "audience": audience, **call}
    now = timezone.now().timestamp()
    try:
        return bool(verify_grant(token, jwks=jwks(), issuer=settings.CONSOLE_URL, now=now, **call))
    except GrantRefused as refused:
        assert refused.code == "unknown_key"  # noqa: PT017  told apart from a forgery
        return False


def test_a_grant_says_who_what_where_and_for_how_long(agent: AgentCaller, operator: User, settings: Any):
    settings.GRANT_TTL_S = 60
    token = grant_of(agent, operator, server="k8s")
    header, claims = (json.loads(urlsafe_b64decode(part.encode())) for part in token.split(".")[:2])
    kid = ensure_signing_key().kid
    assert header == {"alg": "Ed25519", "typ": "acg+jwt", "kid": kid}
    assert claims["exp"] - claims["iat"] == 60
    assert (claims["iss"], claims["aud"], claims["agent"]) == (settings.CONSOLE_URL, "k8s", "triage")
    assert set(claims) == {
        "iss", "aud", "jti", "iat", "exp", "environment", "agent", "instance", "on_behalf_of", "request_id", "action_id",
        "fingerprint",
    }  # fmt: skip


def test_the_audience_without_a_server_is_the_tool(agent: AgentCaller, operator: User, settings: Any):
    assert opened(grant_of(agent, operator), settings, audience="restart")


def test_the_same_claims_give_the_same_text_also_after_a_rotation(agent: AgentCaller, operator: User):
    action = decide(operator, ask_for(agent))
    claims = grant_for(action, fingerprint=action.fingerprint, now=timezone.now())
    text = sign_grant(claims)
    rotate_signing_key(actor="person:ada")
    assert sign_grant(json.loads(json.dumps(dict(reversed(claims.items()))))) == text


def test_a_repeated_claim_gets_the_grant_that_it_had(agent: AgentCaller, operator: User):
    action = decide(operator, ask_for(agent))
    first = claim(agent, action.id, "k")
    with time_machine.travel(timezone.now() + timedelta(seconds=30)):
        assert claim(agent, action.id, "k") == first


def test_a_grant_of_a_claim_in_the_last_second_has_its_whole_time(agent: AgentCaller, operator: User, settings: Any):
    action = decide(operator, ask_for(agent))
    assert action.expires_at is not None
    with time_machine.travel(action.expires_at - timedelta(seconds=1)) as traveller:
        token = claim(agent, action.id, "k")
        traveller.shift(60)
        assert opened(token, settings)


def test_a_drifted_claim_names_what_was_approved(agent: AgentCaller, operator: User):
    action = decide(operator, ask_for(agent))
    claims = grant_for(action, fingerprint="acf1:1", approved_fingerprint="acf1:2", now=timezone.now())
    assert (claims["fingerprint"], claims["approved_fingerprint"]) == ("acf1:1", "acf1:2")


def test_a_key_is_named_by_its_thumbprint_and_kept_sealed():
    made = ensure_signing_key()
    assert ensure_signing_key() == made
    assert made.kid == OKPKey.import_key({name: made.public[name] for name in ("kty", "crv", "x")}).thumbprint()
    assert "d" not in made.public
    secret = str(private_key(made.kid).as_dict(private=True)["d"])
    assert secret not in made.private
    assert not AuditEntry.objects.filter(data__contains=secret).exists()


def test_an_old_key_verifies_until_what_it_signed_is_over(agent: AgentCaller, operator: User, settings: Any):
    before = grant_of(agent, operator)
    call_command("rotate_grant_key")
    after = grant_of(agent, operator)
    assert opened(before, settings)
    assert opened(after, settings)
    assert [key["kid"] for key in jwks()["keys"]] == [key.kid for key in SigningKey.objects.order_by("created_at")]
    with time_machine.travel(timezone.now() + VERIFIES_FOR + timedelta(seconds=1)):
        assert [key["kid"] for key in jwks()["keys"]] == [ensure_signing_key().kid]


def test_a_retired_key_outlives_everything_that_it_signed():
    assert timedelta(seconds=max(TTL_S, 300) + 5) < VERIFIES_FOR


def test_a_grant_under_a_key_that_leaked(agent: AgentCaller, operator: User, settings: Any):
    stolen = grant_of(agent, operator)
    rotate_signing_key(actor="person:ada")
    call_command("rotate_grant_key", "--leaked")
    assert not opened(stolen, settings)
    assert opened(grant_of(agent, operator), settings)
    assert len(jwks()["keys"]) == 1


def test_a_rotation_is_in_the_chain():
    old = ensure_signing_key()
    made = rotate_signing_key(actor="person:ada", is_leaked=True)
    entry = AuditEntry.objects.get(token="SIGNING_KEY_RETIRED")
    assert (entry.actor, entry.object) == ("person:ada", f"key:{made.kid}")
    assert json.loads(entry.data) == {"retired": [old.kid], "is_leaked": True}


def test_anybody_may_have_the_public_keys_and_nothing_else():
    kid = ensure_signing_key().kid
    answer = Client().get("/.well-known/jwks.json")
    (key,) = answer.json()["keys"]
    assert set(key) == {"kty", "crv", "x", "kid", "use", "alg"}
    assert (key["kid"], key["alg"], answer["Cache-Control"]) == (kid, "Ed25519", "public, max-age=300")
    assert "Set-Cookie" not in answer
    assert Client().post("/.well-known/jwks.json").status_code == 405


def test_a_plain_library_verifies_a_grant_with_the_published_keys(agent: AgentCaller, operator: User):
    token = grant_of(agent, operator)
    keys = KeySet.import_key_set(Client().get("/.well-known/jwks.json").json())
    assert json.loads(jws.deserialize_compact(token, keys, algorithms=["Ed25519"]).payload)["aud"] == "restart"


def at_once(times: int, step: Callable[[int], object]) -> None:
    def one(number: int) -> None:
        try:
            step(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as threads:
        list(threads.map(one, range(times)))


@pytest.mark.django_db(transaction=True)
def test_many_first_claims_at_once_make_one_key(monkeypatch: pytest.MonkeyPatch):
    looked, everybody = threading.local(), threading.Barrier(8)

    def signing_key_once_all_have_looked() -> SigningKey | None:
        found = SigningKey.objects.first()
        if not hasattr(looked, "before"):
            looked.before = True
            everybody.wait(30)
        return found

    monkeypatch.setattr("approvals.services.keys._signing", signing_key_once_all_have_looked)
    at_once(8, lambda _number: ensure_signing_key())
    assert SigningKey.objects.count() == 1
    assert verify_chain().entries == 1


@pytest.mark.django_db(transaction=True)
def test_many_rotations_at_once_leave_one_key_that_signs():
    at_once(12, lambda number: rotate_signing_key(actor=f"person:{number}"))
    assert SigningKey.objects.filter(retired_at=None).count() == 1
    assert SigningKey.objects.count() == 12


@pytest.mark.django_db(transaction=True)
def test_a_key_that_was_made_in_a_step_that_failed_is_gone_with_it():
    with transaction.atomic():
        ensure_signing_key()
        transaction.set_rollback(True)
    assert (SigningKey.objects.count(), AuditEntry.objects.count()) == (0, 0)


def test_under_another_secret_key_nothing_is_signed_until_the_key_is_rotated(
    agent: AgentCaller, operator: User, settings: Any
):
    ensure_signing_key()
    action = decide(operator, ask_for(agent))
    settings.SECRET_KEY = "another one"
    with pytest.raises(UnsealError, match="rotate_grant_key"), transaction.atomic():
        claim(agent, action.id, "k")
    action.refresh_from_db()
    assert action.claimed_at is None
    rotate_signing_key(actor="console")
    assert opened(claim(agent, action.id, "k"), settings)


def test_what_is_sealed_for_one_purpose_opens_for_no_other():
    sealed = seal("wörd", "webhook")
    assert "wörd" not in sealed
    assert unseal(sealed, "webhook") == "wörd"
    assert seal("wörd", "webhook") != sealed
    for text in (sealed[:-4] + "AAA=", "", "nonsense", "é", sealed[::-1]):
        with pytest.raises(UnsealError, match="SECRET_KEY"):
            unseal(text, "webhook")
    with pytest.raises(UnsealError):
        unseal(sealed, "signing key")
