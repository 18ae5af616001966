"""No secret gets through, nothing that helps an engineer is taken out, and no text takes long."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentconsole.protocol.ids import new_request_id, new_span_id, new_trace_id, uuid7
from agentconsole.protocol.redaction import Hit, is_telling_name, marker, scrub, scrub_text

SECRET = "hunter2-9f86d081884c7d65"
PEM = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA\nAAAAG5vbmU=\n-----END OPENSSH PRIVATE KEY-----"


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {SECRET}",
        f"authorization: basic {SECRET}==",
        f'{{"Authorization": "Bearer {SECRET}", "Accept": "*/*"}}',
        f"{{'authorization': '{SECRET}'}}",
        f"Authorization: GenieKey {SECRET}",
        f'Authorization: Token token="{SECRET}"',
        f"Proxy-Authorization: Basic {SECRET}",
        f"curl -H 'Authorization: Bearer {SECRET}' https://example.org",
        f"sent bearer {SECRET} to the service",
        f"password={SECRET}",
        f"DB_PASSWORD: '{SECRET}'",
        f"https://example.org/?api_key={SECRET}&page=2",
        f"client_secret = {SECRET}",
        f"my-service-auth-token: {SECRET}",
        PEM.replace("b3BlbnNzaC1rZXktdjEA", SECRET),
        f"-----BEGIN PRIVATE KEY-----\\n{SECRET}\\ncut off",
    ],
)
def test_a_secret_in_a_text_is_replaced_by_the_name_of_its_detector(text: str):
    scrubbed, detectors = scrub_text(text)
    assert SECRET not in scrubbed
    assert [marker(detector) in scrubbed for detector in detectors] == [True]


def test_what_stands_around_a_secret_stays():
    scrubbed, _ = scrub_text(f'{{"Authorization": "Bearer {SECRET}", "Accept": "*/*"}}')
    assert scrubbed == '{"Authorization": "[REDACTED:authorization_header]", "Accept": "*/*"}'


def test_two_keys_in_one_text_are_two_hits_and_the_text_between_them_stays():
    scrubbed, detectors = scrub_text(f"{PEM}\nbetween\n{PEM}")
    assert detectors == ("private_key", "private_key")
    assert "between" in scrubbed


@pytest.mark.parametrize(
    "name", ["password", "db_password", "apiKey", "X-Api-Key", "Authorization", "clientSecret", "accessToken", "Cookie"]
)
def test_a_field_of_a_telling_name_is_emptied_whatever_it_holds(name: str):
    detector = {"Authorization": "authorization_header", "Cookie": "cookie_header"}.get(name, "field_name")
    scrubbed, hits = scrub({"headers": [{name: {"nested": 1}}]}, "arguments")
    assert scrubbed == {"headers": [{name: marker(detector)}]}
    assert hits == (Hit(detector, f"arguments.headers.0.{name}"),)


def test_hits_of_one_secret_have_one_digest_and_none_shows_it():
    _, hits = scrub({"Authorization": f"Bearer {SECRET}", "log": f"bearer {SECRET}", "other": "Bearer 0123456789abc"})
    assert [hit.digest == hits[0].digest for hit in hits] == [True, True, False]
    assert hits[0].digest.hex() not in repr(hits)
    assert str(hits[0].digest) not in repr(hits)


@pytest.mark.parametrize("value", [None, "", [], {}, True, False])
def test_a_telling_name_without_a_value_is_no_hit(value: object):
    assert scrub({"password": value}) == ({"password": value}, ())


def test_a_secret_in_a_name_is_taken_out_of_the_name_and_of_the_place():
    scrubbed, hits = scrub({f"Bearer {SECRET}": {"password": SECRET}})
    assert SECRET not in repr((scrubbed, hits))
    assert [hit.detector for hit in hits] == ["bearer_token", "field_name"]


def test_the_value_given_is_not_changed():
    given_value = {"password": SECRET, "list": [f"Bearer {SECRET}"]}
    scrub(given_value)
    assert given_value == {"password": SECRET, "list": [f"Bearer {SECRET}"]}


@pytest.mark.parametrize("make", [new_request_id, new_span_id, new_trace_id, lambda: str(uuid7())])
@pytest.mark.parametrize(
    "around",
    ["{}", "request_id={}", "X-Request-ID: {}", "key {} of token bucket", "GET /r/{} 200", "secret-free run {}"],
)
def test_correlation_ids_are_never_taken_for_secrets(make, around: str):
    text = around.format(make())
    assert scrub_text(text) == (text, ())


@pytest.mark.parametrize(
    "name",
    ["request_id", "trace_id", "session_id", "idempotency_key", "primary_key", "input_tokens", "author", "token_count"],
)
def test_names_of_correlation_ids_and_counts_are_not_telling(name: str):
    assert not is_telling_name(name)
    assert scrub({name: "req_01j9zq3v8e"}) == ({name: "req_01j9zq3v8e"}, ())


@pytest.mark.parametrize(
    "text",
    [
        "bearer authentication failed",
        "the password is wrong",
        "password: null, api_key=None",
        "max_tokens=4096 total_tokens: 1200",
        "authorization failed for dana",
        "the key of the map is missing",
    ],
)
def test_prose_about_secrets_is_left_alone(text: str):
    assert scrub_text(text) == (text, ())


@given(st.text(max_size=200))
def test_scrubbing_twice_is_scrubbing_once(text: str):
    once, _ = scrub_text(f"Authorization: {text} password={text} bearer {text}")
    assert scrub_text(once) == (once, ())


@pytest.mark.parametrize(
    "unit",
    [
        "a-", "a_", "secret", "secret:", "secret ", "password=", "api", "-----BEGIN ", "-----BEGIN PRIVATE KEY-----",
        "-----", "authorization", "authorization: ", "authorization: a ", "bearer ", "bearer a", "Bearer\t", "=\"' ",
        "sk-", "-sk-a1", "eyJaaaaaaaa-", "eyJaaaaaaaa.", "xoxb-1", "glpat-a", "dp.pt.", "a://b:", "://@", "basic YTpi ", "cookie: a=b;",
        'password="', "password='\\'", '{"password":', '["', "AKIA", "AA:", "key=a1", "ewo", "Private-Lines: 1 ", "\\n", "-us1", "a.atlasv1.",
    ],
)  # fmt: skip
def test_time_grows_with_the_text_and_not_with_its_square(unit: str):
    def took_s(chars: int) -> float:
        text = "secret authorization bearer private key " + unit * (chars // len(unit))
        tries = []
        for _ in range(3):
            begun = time.perf_counter()
            scrub_text(text)
            tries.append(time.perf_counter() - begun)
        return min(tries)

    assert took_s(80_000) < 30 * took_s(10_000) + 0.01, "eight times the text may take eight times as long, not 64"


def test_json_of_any_depth_is_read_or_left():
    for depth in (10, 400, 900, 5_000, 100_000):
        text = "[" * depth + f'"password={SECRET}"' + "]" * depth
        assert SECRET not in scrub_text(text)[0]


@given(
    st.recursive(
        st.none() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_any_value_is_read(value: object):
    scrub(value)
    scrub_text(repr(value))


def test_the_cache_of_names_does_not_keep_long_ones():
    name = "x" * 1_000_000 + "_password"
    assert is_telling_name(name)
    assert not is_telling_name("password" + "x" * 1_000_000)
