"""Every form of credential is found wherever it stands, and nothing else is taken out."""

import json

import pytest

from agentconsole.protocol.redaction import may_hold_secret, scrub, scrub_text
from agentconsole.protocol.redaction.providers import PROVIDERS
from tests.redaction.corpus import AROUND, FORMS, PASSWORD, TOLD_BY_PLACE, credentials, encoded, look_alikes

DRAWS = range(5)
KNOWN = [(detector, secret) for seed in DRAWS for detector, secret in credentials(seed)]
# What stays of a webhook's address is its host.
_HOSTS = ("https://hooks.slack.com/", "https://discord.com/", "https://acme.")


def secret_part(secret: str) -> str:
    """What must be gone: the credential, without what tells only whose it is."""
    for host in _HOSTS:
        secret = secret.removeprefix(host)
    return secret[len(secret) // 3 :]


def test_every_detector_has_a_sample_and_every_sample_a_detector():
    assert {provider.detector for provider in PROVIDERS} == set(FORMS)


@pytest.mark.parametrize("around", AROUND)
def test_a_known_form_is_found_in_a_text(around: str):
    for detector, secret in KNOWN:
        text = AROUND[around](secret)
        scrubbed, hits = scrub_text(text)
        assert may_hold_secret(text), (detector, text)
        assert secret_part(secret) not in scrubbed, (detector, text, scrubbed)
        assert encoded(secret)[4:40] not in scrubbed, (detector, text, scrubbed)
        assert hits, (detector, text)


def test_a_known_form_is_told_by_its_name():
    told = {secret: scrub_text(f"found {secret} here")[1] for _detector, secret in KNOWN}
    assert {secret: hits for secret, hits in told.items() if len(hits) != 1} == {}
    wrong = {secret: told[secret] for detector, secret in KNOWN if told[secret] != (detector,)}
    assert wrong == {}


@pytest.mark.parametrize("text", TOLD_BY_PLACE)
def test_a_secret_is_found_by_what_stands_around_it(text: str):
    scrubbed, hits = scrub_text(text)
    assert PASSWORD not in scrubbed
    assert hits
    assert not any(encoded(PASSWORD)[4:16] in part for part in scrubbed.split())


@pytest.mark.parametrize("text", TOLD_BY_PLACE)
def test_it_is_found_in_a_structure_as_in_a_text(text: str):
    scrubbed, hits = scrub({"result": {"rows": [text]}}, "result")
    assert PASSWORD not in json.dumps(scrubbed)
    assert all(hit.place.startswith("result.result.rows.0") for hit in hits)


@pytest.mark.parametrize("seed", DRAWS)
def test_nothing_else_is_taken_out(seed: int):
    for text in look_alikes(seed):
        for shown in (text, f"saw {text} again", json.dumps({"value": text}), f"a: {text}\nb: 2"):
            assert scrub_text(shown) == (shown, ())
        assert scrub({"value": text}) == ({"value": text}, ())


def test_twice_is_once():
    for _detector, secret in KNOWN:
        for around in AROUND.values():
            once, _ = scrub_text(around(secret))
            assert scrub_text(once) == (once, ())


def test_a_schema_tells_what_a_secret_looks_like_and_is_none():
    schema = {"properties": {"api_key": {"type": "string", "title": "Key"}, "token": {"$ref": "#/x"}}}
    assert scrub({"tools": [{"parameters": schema}]})[1] == ()
    assert scrub({"properties": {"api_key": "hunter2hunter2"}})[1] != ()
    assert scrub({"properties": {"api_key": {"value": "hunter2hunter2"}}})[1] != ()


def test_a_masked_password_is_none():
    assert scrub_text("redis://user:****@cache:6379/0")[1] == ()
