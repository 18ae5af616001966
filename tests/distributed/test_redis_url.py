"""One REDIS_URL serves channel layer, cache and broker: with a password, a user, TLS, and a database's number."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import quote

import pytest
from channels.layers import get_channel_layer
from django.core.cache import cache
from redis import Redis

from agentconsole import live, ratelimit
from agentconsole.celery import app
from agentconsole.errors import RateLimitedError
from agentconsole.health import proving
from agentconsole.health.tasks import beat
from agentconsole.redis_url import BROKER_OPTIONS, CACHE_OPTIONS, layer_host, same_for_all, wrong_with
from tests.certificates import certificate
from tests.servers import OwnRedis

pytestmark = pytest.mark.redis
PASSWORD = "p@ss:w/rd#;%,é"
ENCODED = quote(PASSWORD, safe="")


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """URLs of servers by what they ask for."""
    files = certificate(tmp_path_factory.mktemp("tls"), "127.0.0.1")
    user = ("--user", "console", "on", f">{PASSWORD}", "~*", "&*", "+@all", "-@dangerous")
    with ExitStack() as servers:
        password = servers.enter_context(OwnRedis("--requirepass", PASSWORD))
        named = servers.enter_context(OwnRedis("--requirepass", "another", *user))
        tls = servers.enter_context(OwnRedis(*user, tls=files))
        yield {
            "password": f"redis://:{ENCODED}@127.0.0.1:{password.port}",
            "user": f"redis://console:{ENCODED}@127.0.0.1:{named.port}/3",
            "tls": f"rediss://console:{ENCODED}@127.0.0.1:{tls.port}/2?ssl_ca_certs={files[0]}",
            "stranger": f"rediss://console:{ENCODED}@127.0.0.1:{tls.port}/2",
            "wrong": f"redis://:hunter2{ENCODED}@127.0.0.1:{password.port}",
        }


def use(url: str, settings: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """All three on one URL, as the settings put them there."""
    url = same_for_all(url)
    settings.REDIS_URL = settings.CELERY_BROKER_URL = url
    layer = {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": {"hosts": [layer_host(url)]}}
    settings.CHANNEL_LAYERS = {"default": layer}
    backend = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": [url], "OPTIONS": CACHE_OPTIONS}
    settings.CACHES = {"default": backend}
    monkeypatch.setattr(ratelimit, "_counter", ratelimit._Counter())
    monkeypatch.setitem(app.conf, "broker_url", url)
    monkeypatch.setitem(app.conf, "broker_transport_options", BROKER_OPTIONS)
    return url


async def round_trip() -> None:
    """Through the layer, whose connections are closed behind it."""
    try:
        await live.round_trip()
    finally:
        await get_channel_layer().close_pools()


@pytest.mark.parametrize("kind", ["password", "user", "tls"])
def test_layer_cache_and_broker_work_with_the_same_url(
    secured: dict[str, str], kind: str, settings, monkeypatch, time_machine
):
    url = use(secured[kind], settings, monkeypatch)
    asyncio.run(round_trip())
    time_machine.move_to("2026-11-22T21:00:01Z")
    ratelimit.spend("agent:1", limit=1)
    with pytest.raises(RateLimitedError):
        ratelimit.spend("agent:1", limit=1)
    assert proving.broker().detail == "it answered (redis)"
    with app.connection_for_write() as connection:
        beat.apply_async(connection=connection)  # type: ignore[call-arg]
        message = connection.SimpleQueue("celery").get(timeout=5)
        assert message.headers["task"] == beat.name
        message.ack()
    with Redis.from_url(url) as client:
        kept = {key.decode() for key in client.scan_iter()}
    assert any("rate:agent:1" in key for key in kept)
    assert "_kombu.binding.celery" in kept


@pytest.mark.parametrize(
    ("kind", "words"), [("wrong", "invalid username-password pair"), ("stranger", "certificate verify failed")]
)
def test_what_is_wrong_is_told_without_the_password(secured, kind: str, words: str, settings, monkeypatch):
    from agentconsole.faults import fault_words

    use(secured[kind], settings, monkeypatch)
    tries = {
        "layer": lambda: asyncio.run(round_trip()),
        "cache": lambda: cache.get("anything"),
        "broker": proving.broker,
    }
    for name, attempt in tries.items():
        with pytest.raises(Exception) as raised:  # noqa: PT011  which it is, is the library's
            attempt()
        told = fault_words(raised.value)
        assert words in told, name
        assert "hunter2" not in told
        assert PASSWORD not in told


def test_rates_are_counted_by_the_process_itself_while_redis_is_away(settings, monkeypatch, logged):
    monkeypatch.setattr(ratelimit, "LEFT_ALONE_S", 0.0)
    with OwnRedis() as redis:
        use(redis.url, settings, monkeypatch)
        ratelimit.spend("agent:1", limit=1)
        redis.kill()
        ratelimit.spend("agent:2", limit=1)
        with pytest.raises(RateLimitedError):
            ratelimit.spend("agent:2", limit=1)
        redis.start()
        ratelimit.spend("agent:2", limit=1)
    assert [len(logged(token)) for token in ("RATES_LOCAL", "RATES_SHARED")] == [1, 1]


def test_a_redis_that_hangs_holds_up_one_request_for_a_moment(settings, monkeypatch):
    with OwnRedis() as redis:
        use(redis.url, settings, monkeypatch)
        ratelimit.spend("agent:1", limit=1)
        redis.pause()
        begun = time.monotonic()
        for number in range(50):
            ratelimit.spend(f"hung:{number}", limit=1)
        assert time.monotonic() - begun < 4
        redis.resume()


@pytest.mark.parametrize(
    ("url", "same"),
    [
        ("redis://host/1", "redis://host/1"),
        ("amqps://user@host//", "amqps://user@host//"),
        ("rediss://host:6380/1", "rediss://host:6380/1?ssl_cert_reqs=required"),
        ("rediss://host?ssl_cert_reqs=CERT_NONE", "rediss://host?ssl_cert_reqs=none"),
        ("rediss://host/?ssl_ca_certs=/etc/ca.pem", "rediss://host/?ssl_ca_certs=/etc/ca.pem&ssl_cert_reqs=required"),
    ],
)
def test_certificates_are_checked_unless_the_url_says_otherwise(url: str, same: str):
    assert same_for_all(url) == same


@pytest.mark.parametrize("url", ["sentinel://host:26379/0", "redis://:a/b@host", "redis://host/tasks", "redis://:[@h"])
def test_a_url_that_not_all_of_them_can_read_is_refused_without_quoting_it(url: str, settings):
    from agentconsole.checks import check_redis

    settings.REDIS_URL = url
    (error,) = check_redis(None)
    assert error.id == "console.E008"
    assert url not in error.msg
    assert wrong_with("rediss://console:p%40ss@host:6380/2") == ""
