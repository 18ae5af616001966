"""Who may read the metrics: who holds the token; without one set, in development, a direct call from this machine."""

import json

import pytest

from tests.metrics.scraping import scrape

pytestmark = pytest.mark.django_db(transaction=True)
AWAY = ("192.0.2.7", 50000)


@pytest.fixture
def token(settings) -> str:
    settings.METRICS_TOKEN = "m3trics-for-prometheus"
    return settings.METRICS_TOKEN


async def test_the_token_opens_from_anywhere(token: str) -> None:
    found = await scrape(client=AWAY, host="10.0.0.7:8000", authorization=f"Bearer {token}")
    assert (found.status, found.headers["cache-control"]) == (200, "no-store")
    assert "agentconsole_http_requests_total" in found.text


@pytest.mark.parametrize("offered", ["", "Bearer", "Bearer wrong", "Basic m3trics-for-prometheus", "Bearer ä"])
async def test_with_a_token_set_nothing_else_opens(token: str, offered: str) -> None:
    found = await scrape(authorization=offered)
    assert (found.status, found.headers["www-authenticate"]) == (401, "Bearer")
    assert "METRICS_TOKEN" in json.loads(found.text)["error"]["message"]
    assert "agentconsole_" not in found.text


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
async def test_without_a_token_this_machine_may_look(address: str) -> None:
    assert (await scrape(client=(address, 50000))).status == 200


@pytest.mark.parametrize("client", [AWAY, ("2001:db8::1", 1), None, ("", 0), ("::ffff:192.0.2.7", 1)])
async def test_without_a_token_no_other_machine_may(client) -> None:
    assert (await scrape(client=client)).status == 401


@pytest.mark.parametrize("name", ["x_forwarded_for", "x_forwarded_proto", "forwarded", "x_real_ip", "via"])
async def test_without_a_token_a_proxy_on_this_machine_opens_to_nobody(name: str) -> None:
    assert (await scrape(**{name: "127.0.0.1"})).status == 401


@pytest.mark.parametrize("variable", ["IS_PROD", "BEHIND_TLS_PROXY"])
async def test_in_production_and_behind_a_proxy_only_the_token_opens(settings, variable: str) -> None:
    setattr(settings, variable, True)
    assert (await scrape()).status == 401


async def test_another_sites_name_that_points_here_is_refused() -> None:
    assert (await scrape(host="evil.example")).status == 401


async def test_the_library_chooses_the_format(environments: None) -> None:
    plain, modern = await scrape(), await scrape(accept="application/openmetrics-text; version=1.0.0")
    assert plain.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert modern.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    assert modern.text.endswith("# EOF\n")
    head = await scrape(method="HEAD")
    assert (head.status, head.text) == (200, "")
