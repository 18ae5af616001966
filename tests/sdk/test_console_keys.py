"""A tool server's copy of the console's keys: fetched seldom, anew for a new key, and kept while the console is away."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from joserfc.jwk import OKPKey

from agentconsole.sdk import ConsoleKeys, GrantRefused
from agentconsole.sdk.console_keys import KeysUnavailableError
from tests.sdk.test_grants import JWKS, KEY, shown, signed

OTHER = {"keys": [OKPKey.generate_key("Ed25519", auto_kid=True).as_dict(private=False)]}


class Endpoint:
    """The console's `/.well-known/jwks.json`, its clock, and how often it was asked."""

    def __init__(self, answer: Any = JWKS) -> None:
        self.answer, self.asked, self.now = answer, 0, 0.0
        self.keys = ConsoleKeys(
            "https://console.example.org/",
            client=httpx.Client(transport=httpx.MockTransport(self._respond)),
            clock=lambda: self.now,
        )

    def _respond(self, request: httpx.Request) -> httpx.Response:
        assert str(request.url) == "https://console.example.org/.well-known/jwks.json"
        assert request.headers["cache-control"] == "no-cache"
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer if isinstance(self.answer, httpx.Response) else httpx.Response(200, json=self.answer)


AWAY = httpx.ConnectError("away")


def refusal(check: Callable[[], object]) -> str:
    with pytest.raises(GrantRefused) as refused:
        check()
    return refused.value.code


def test_many_grants_one_fetch():
    console = Endpoint()
    for _ in range(50):
        shown(signed(), jwks=console.keys)
    assert console.asked == 1
    console.now = 301
    shown(signed(), jwks=console.keys)
    assert console.asked == 2


def test_a_new_key_is_found_right_after_a_fetch():
    console = Endpoint(OTHER)
    console.keys()
    console.answer = JWKS
    assert shown(signed(), jwks=console.keys)
    assert console.asked == 2


def test_grants_with_made_up_keys_do_not_flood_the_console():
    console = Endpoint(OTHER)
    for second in range(60):
        console.now = float(second)
        assert refusal(lambda: shown(signed(), jwks=console.keys)) == "unknown_key"
    assert console.asked == 1 + 2


def test_a_key_that_the_console_withdrew_is_let_go_of():
    console = Endpoint()
    shown(signed(), jwks=console.keys)
    console.answer, console.now = OTHER, 301
    assert refusal(lambda: shown(signed(), jwks=console.keys)) == "unknown_key"


def test_the_keys_outlive_a_console_that_is_away_for_an_hour():
    console = Endpoint()
    shown(signed(), jwks=console.keys)
    console.answer = AWAY
    console.now = 3600
    assert shown(signed(), jwks=console.keys)
    console.now = 3620
    assert refusal(lambda: shown(signed(), jwks=console.keys)) == "keys_unavailable"
    console.answer, console.now = JWKS, 3631
    assert shown(signed(), jwks=console.keys)


def test_a_console_that_is_away_is_not_asked_for_each_grant():
    console = Endpoint(AWAY)
    for _ in range(20):
        assert refusal(lambda: shown(signed(), jwks=console.keys)) == "keys_unavailable"
    assert console.asked == 1


@pytest.mark.parametrize(
    "answer",
    [
        {"keys": [{"kty": "OKP"}]},
        {"keys": 5},
        [],
        httpx.Response(200, text="<html>"),
        httpx.Response(302, headers={"Location": "https://elsewhere.example/"}),
        httpx.Response(503, json=JWKS),
    ],
    ids=["no ids", "no list", "no object", "a page", "a redirect", "an error"],
)
def test_an_answer_that_holds_no_keys(answer: Any):
    console = Endpoint(answer)
    with pytest.raises(KeysUnavailableError, match="gave no keys"):
        console.keys()


@pytest.mark.parametrize("broken", [{"x": "AAAA"}, {"x": 5}, {"kty": "RSA"}, {"x": None}], ids=str)
def test_a_key_that_makes_no_sense(broken: dict[str, Any]):
    keys = {"keys": [{**KEY.as_dict(private=False), **broken}]}
    assert refusal(lambda: shown(signed(), jwks=keys)) == "unknown_key"


def test_a_url_or_a_function_gives_the_keys(monkeypatch: pytest.MonkeyPatch):
    console = Endpoint()
    monkeypatch.setattr("agentconsole.sdk.grants.ConsoleKeys", lambda _url: console.keys)
    for _ in range(2):
        assert shown(signed(), jwks="https://named-by-url.example")
    assert console.asked == 1
    assert shown(signed(), jwks=lambda: JWKS)
