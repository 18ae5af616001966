"""`verify_grant`: what a tool server is shown, and when it does nothing. No console, no database: keys of the test's own."""

import base64
import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import OctKey, OKPKey

from agentconsole.protocol.fingerprint import ActionEnvelope, fingerprint
from agentconsole.sdk import Grant, GrantRefused, SeenGrants, verify_grant

KEY = OKPKey.generate_key("Ed25519", auto_kid=True)
KID = KEY.thumbprint()
JWKS = {"keys": [KEY.as_dict(private=False)]}
ISSUER = "https://console.example.org"
NOW = 1_800_000_000
CALL: dict[str, Any] = {
    "server": "jira",
    "tool": "create_issue",
    "operation": "jira.create",
    "resource": "OPS",
    "schema_digest": "sha256:aa",
    "arguments": {"title": "Disk full", "labels": ["ops"], "points": 3},
}
WHERE: dict[str, Any] = {"environment": "prod", "agent": "triage", "on_behalf_of": "dana"}
CLAIMS: dict[str, Any] = {
    **WHERE,
    "iss": ISSUER,
    "aud": "jira",
    "jti": "b7e1",
    "iat": NOW,
    "exp": NOW + 120,
    "instance": "one",
    "request_id": "r-1",
    "action_id": "a-1",
    "fingerprint": fingerprint(ActionEnvelope(**WHERE, **CALL)),
}


def signed(key: OKPKey = KEY, *, typ: str = "acg+jwt", **changes: Any) -> str:
    """A grant as the console signs it, with claims changed; None leaves one out."""
    claims = {name: value for name, value in {**CLAIMS, **changes}.items() if value is not None}
    header = {"alg": "Ed25519", "kid": KID, "typ": typ}
    return jws.serialize_compact(header, json.dumps(claims), key, algorithms=["Ed25519"])


def shown(token: Any, **changes: Any) -> Grant:
    """What the tool server jira makes of a token."""
    given = {
        "jwks": JWKS,
        "audience": "jira",
        "issuer": ISSUER,
        "environment": "prod",
        "now": NOW + 1,
        **CALL,
        **changes,
    }
    return verify_grant(token, **given)


def refusal(token: Any, **changes: Any) -> str:
    """The code that a token is refused with."""
    with pytest.raises(GrantRefused) as refused:
        shown(token, **changes)
    return refused.value.code


def part(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def with_header(header: Any) -> str:
    """The good grant under another header: what a forger can write."""
    return f"{part(header)}.{signed().partition('.')[2]}"


def test_the_grant_of_this_very_call_opens_it():
    grant = shown(signed())
    assert (grant.action_id, grant.agent, grant.on_behalf_of, grant.approved_fingerprint) == (
        "a-1",
        "triage",
        "dana",
        "",
    )
    assert grant.fingerprint == CLAIMS["fingerprint"]


def test_a_drifted_call_says_what_was_approved():
    assert shown(signed(approved_fingerprint="acf1:00")).approved_fingerprint == "acf1:00"


def test_a_fingerprint_that_the_server_computed_stands_for_the_call():
    given: dict[str, Any] = {"jwks": JWKS, "audience": "jira", "issuer": ISSUER, "now": NOW}
    assert verify_grant(signed(), fingerprint=CLAIMS["fingerprint"], **given)
    with pytest.raises(GrantRefused, match="another call"):
        verify_grant(signed(), fingerprint="acf1:" + "0" * 64, **given)
    with pytest.raises(TypeError, match="needs the call"):
        verify_grant(signed(), **given)


@pytest.mark.parametrize(
    "changes",
    [
        {"tool": "delete_issue"},
        {"server": "jira2"},
        {"operation": "jira.delete"},
        {"operation": ""},
        {"resource": "HR"},
        {"schema_digest": ""},
        {"arguments": {**CALL["arguments"], "title": "Disk Full"}},
        {"arguments": {**CALL["arguments"], "points": "3"}},
        {"arguments": {**CALL["arguments"], "assignee": None}},
        {"arguments": {}},
        {"arguments": {"title": float("nan")}},
        {"arguments": {"title": {1, 2}}},
    ],
    ids=str,
)
def test_a_grant_for_another_call(changes: dict[str, Any]):
    assert refusal(signed(), **changes) == "wrong_action"


def test_a_grant_whose_agent_or_person_was_swapped_fits_no_call():
    assert refusal(signed(agent="other")) == "wrong_action"
    assert refusal(signed(on_behalf_of="eve")) == "wrong_action"


def test_a_grant_meant_for_another_tool_server():
    assert refusal(signed(), audience="github") == "wrong_audience"


def test_a_grant_of_another_console():
    assert refusal(signed(), issuer="https://console.example.com") == "wrong_issuer"


def test_a_grant_of_another_environment():
    assert refusal(signed(environment="dev")) == "wrong_environment"


def test_an_expired_grant_and_the_last_moment_before():
    assert shown(signed(), now=NOW + 124.9)
    assert refusal(signed(), now=NOW + 125) == "expired"
    assert refusal(signed(), now=NOW + 120, leeway_s=0) == "expired"


def test_a_grant_from_the_future():
    assert shown(signed(), now=NOW - 5)
    assert refusal(signed(), now=NOW - 5.1) == "not_yet_valid"


def test_a_grant_under_a_key_that_the_console_has_not():
    assert refusal(signed(), jwks={"keys": []}) == "unknown_key"
    assert refusal(with_header({"alg": "Ed25519", "kid": "mine", "typ": "acg+jwt"})) == "unknown_key"


def test_a_grant_that_brings_its_own_key():
    own = OKPKey.generate_key("Ed25519")
    header = {"alg": "Ed25519", "kid": KID, "typ": "acg+jwt", "jwk": own.as_dict(private=False)}
    token = jws.serialize_compact(header, json.dumps(CLAIMS), own, algorithms=["Ed25519"])
    assert refusal(token) == "forged"


def test_a_grant_signed_by_somebody_else_under_the_consoles_key_id():
    assert refusal(signed(OKPKey.generate_key("Ed25519"))) == "forged"


def test_claims_edited_under_a_good_signature():
    head, _, signature = signed().split(".")
    assert refusal(f"{head}.{part({**CLAIMS, 'aud': 'jira', 'exp': NOW + 9999})}.{signature}") == "forged"


def test_algorithm_none():
    head = part({"alg": "none", "kid": KID, "typ": "acg+jwt"})
    for signature in ("", signed().rpartition(".")[2]):
        assert refusal(f"{head}.{part(CLAIMS)}.{signature}") == "forged"


@pytest.mark.parametrize("algorithm", ["HS256", "EdDSA", "ed25519", "RS256"])
def test_another_algorithm_than_the_consoles(algorithm: str):
    assert refusal(with_header({"alg": algorithm, "kid": KID, "typ": "acg+jwt"})) == "forged"


def test_hs256_with_the_public_key_for_a_secret():
    for secret in (KEY.as_dict(private=False)["x"], json.dumps(JWKS["keys"][0])):
        key = OctKey.import_key(str(secret))
        token = jws.serialize_compact({"alg": "HS256", "kid": KID, "typ": "acg+jwt"}, json.dumps(CLAIMS), key)
        assert refusal(token) == "forged"


@pytest.mark.parametrize("typ", ["acd+jwt", "JWT", "ACG+JWT"])
def test_a_signed_text_of_another_type(typ: str):
    assert refusal(signed(typ=typ)) == "wrong_type"


@pytest.mark.parametrize("name", [*CLAIMS])
def test_a_signed_text_that_lacks_a_claim(name: str):
    without: dict[str, Any] = {name: None}
    assert refusal(signed(**without)) == "wrong_type"


@pytest.mark.parametrize("changes", [{"aud": ["jira"]}, {"exp": "soon"}, {"jti": 7}, {"iat": {}}], ids=str)
def test_a_signed_text_whose_claims_have_other_types(changes: dict[str, Any]):
    assert refusal(signed(**changes)) == "wrong_type"


@pytest.mark.parametrize(
    "token",
    [
        None, b"a.b.c", "", "a.b", "a.b.c.d", "é.é.é", "\ud800.x.y", f"{part([])}.x.y", f"{part('null')}.x.y",
        f"{part('[' * 5000)}.x.y", "x" * 9000 + ".b.c", with_header({"alg": "Ed25519", "typ": "acg+jwt"}),
        with_header({"alg": "Ed25519", "kid": [KID]}), with_header({"alg": "Ed25519", "kid": KID, "crit": 5}),
        with_header({"alg": "Ed25519", "kid": KID, "crit": ["b64"], "b64": False}),
    ],
    ids=lambda token: str(token)[:24].encode("ascii", "replace").decode(),
)  # fmt: skip
def test_something_that_is_no_grant_at_all(token: Any):
    assert refusal(token) == "malformed"


@given(st.text() | st.lists(st.text(), min_size=3, max_size=3).map(lambda parts: ".".join(map(part, parts))))
def test_any_text_is_refused_and_breaks_nothing(token: str):
    assert refusal(token) in ("malformed", "forged", "unknown_key")


headers = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@given(st.dictionaries(st.sampled_from(["alg", "kid", "typ", "jwk", "x5c", "b64", "jku", "cty", "crit"]), headers))
def test_any_forged_header_is_refused_and_breaks_nothing(header: dict[str, Any]):
    assert refusal(with_header({"alg": "Ed25519", "kid": KID, "typ": "acg+jwt", **header})) in (
        "malformed", "forged", "unknown_key",
    )  # fmt: skip


@given(st.integers(0, 2), st.integers(0, 10_000), st.integers(1, 255))
def test_a_grant_with_any_byte_changed(where: int, place: int, change: int):
    parts = signed().split(".")
    content = bytearray(base64.urlsafe_b64decode(parts[where] + "=="))
    content[place % len(content)] ^= change
    parts[where] = base64.urlsafe_b64encode(content).rstrip(b"=").decode()
    assert refusal(".".join(parts)) in ("malformed", "forged", "unknown_key")


def test_a_grant_shown_twice():
    seen = SeenGrants()
    with time_machine.travel(NOW, tick=False):
        assert shown(signed(), seen=seen)
        assert refusal(signed(), seen=seen) == "replayed"
        assert shown(signed(jti="other"), seen=seen)


def test_a_grant_shown_twice_in_its_very_last_second():
    seen = SeenGrants()
    for moment in (NOW, NOW + 120, NOW + 124):
        with time_machine.travel(moment, tick=False):
            if moment == NOW:
                shown(signed(), seen=seen, now=None)
            else:
                assert refusal(signed(), seen=seen, now=None) == "replayed"


def test_a_refused_grant_is_not_used_up():
    seen = SeenGrants()
    with time_machine.travel(NOW, tick=False):
        assert refusal(signed(), seen=seen, arguments={}) == "wrong_action"
        assert shown(signed(), seen=seen)


def test_what_expired_is_forgotten():
    seen = SeenGrants()
    with time_machine.travel(NOW, tick=False) as traveller:
        for number in range(100):
            seen.take(f"old {number}", NOW + 60)
        traveller.shift(100)
        seen.take("new", NOW + 160)
    assert [*seen._until] == ["new"]


def test_of_many_at_once_one_takes_a_grant():
    seen, until = SeenGrants(), time.time() + 60
    with ThreadPoolExecutor(16) as threads:
        assert sum(threads.map(lambda _: seen.take("one", until), range(500))) == 1


def test_the_sdk_imports_without_joserfc_and_says_what_to_install():
    program = (
        "import sys\n"
        "sys.modules['joserfc'] = None\n"
        "from agentconsole.sdk import verify_grant\n"
        "verify_grant('a.b.c', jwks={}, audience='a', issuer='i', tool='t', arguments={})\n"
    )
    done = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True)
    assert "RuntimeError: verify_grant needs `pip install agentconsole[grants]`" in done.stderr
