"""A rate per credential: fixed windows of ten seconds, counted where the deployment keeps its cache."""

import time

from django.core.cache import cache

from agentconsole.errors import RateLimitedError
from agentconsole.logconf import get_logger

log = get_logger(__name__)

WINDOW_S = 10


def spend(key: str, *, limit: int) -> None:
    """Count one request against `key`. RateLimitedError with `Retry-After` (seconds) once the window's `limit` is spent.

    A cache that can't be reached lets the request through: the rate protects the console, it is no permission.
    """
    now = time.time()
    window = int(now // WINDOW_S)
    name = f"rate:{key}:{window}"
    cache.add(name, 0, timeout=2 * WINDOW_S)
    try:
        spent = cache.incr(name)
    except ValueError:  # evicted between add and incr
        return
    if spent > limit:
        retry_after = max(1, round((window + 1) * WINDOW_S - now))
        if spent == limit + 1:
            log.warning("RATE_LIMITED", key=key, limit=limit, window_s=WINDOW_S)
        raise RateLimitedError(
            f"More than {limit} requests in {WINDOW_S} seconds. Wait {retry_after} s, and send larger batches.",
            headers={"Retry-After": str(retry_after)},
        )
