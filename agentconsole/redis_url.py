"""One REDIS_URL for channel layer, cache and broker, each of which reads it in a way of its own. Pure."""

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from redis.backoff import NoBackoff
from redis.retry import Retry

SCHEMES = ("redis", "rediss")
# The layer waits 5 s at a time for a message; the client's own limit, also 5 s, would cut each wait short.
LAYER_TIMEOUT_S = 15
# A rate is no reason to keep a request waiting. One more try: the connection may be from before a restart.
CACHE_TIMEOUT_S = 0.5
CACHE_OPTIONS: dict[str, Any] = {
    "socket_connect_timeout": CACHE_TIMEOUT_S,
    "socket_timeout": CACHE_TIMEOUT_S,
    "retry": Retry(NoBackoff(), 1),
}
# Without them a publisher waits for ever for a Redis that keeps its connections and answers nobody.
BROKER_OPTIONS: dict[str, Any] = {
    "socket_connect_timeout": 5,
    "socket_timeout": 5,
    "socket_keepalive": True,
    "health_check_interval": 5,
}


def same_for_all(url: str) -> str:
    """The URL so that all three read it alike. With `rediss:` the server's certificate is checked, as Celery's transport by itself
    would not, unless the URL says `ssl_cert_reqs=none`."""
    if not url.startswith("rediss:") or wrong_with(url):
        return url
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    # Celery's documentation spells it CERT_REQUIRED, which the Redis client does not know.
    query["ssl_cert_reqs"] = query.get("ssl_cert_reqs", "required").removeprefix("CERT_").lower()
    return urlunsplit(parts._replace(query=urlencode(query, safe="/")))


def speaks_redis(broker_url: str) -> bool:
    """Whether Celery reaches that broker by its Redis transport."""
    return broker_url.startswith(("redis:", "rediss:", "sentinel:"))


def layer_host(url: str) -> dict[str, Any]:
    """The channel layer's host."""
    return {"address": url, "socket_timeout": LAYER_TIMEOUT_S}


def wrong_with(url: str) -> str:
    """What makes a URL unusable, in words that don't quote it; nothing if it can be used."""
    try:
        parts = urlsplit(url)
        _port, path = parts.port, parts.path.strip("/")
    except ValueError:
        return "can't be read: special characters in its password have to be percent-encoded"
    if parts.scheme not in SCHEMES:
        return f"begins with `{parts.scheme}:`, which is neither `redis:` nor `rediss:`"
    if path and not path.isdecimal():
        return "ends with something else than the number of a database"
    return ""
