"""Rates: requests in fixed windows, counted where the deployment keeps its cache."""

import time

from django.core.cache import cache

from agentconsole.errors import RateLimitedError
from agentconsole.logconf import get_logger

log = get_logger(__name__)

WINDOW_S = 10


def spend(key: str, *, limit: int, window_s: int = WINDOW_S) -> None:
    """Count one request against `key`. RateLimitedError with `Retry-After` (seconds) once the window's `limit` is spent.

    A cache that can't be reached lets the request through: the rate protects the console, it is no permission.
    """
    now = time.time()
    window = int(now // window_s)
    name = f"rate:{key}:{window}"
    cache.add(name, 0, timeout=2 * window_s)
    try:
        spent = cache.incr(name)
    except ValueError:  # evicted between add and incr
        return
    if spent > limit:
        retry_after = max(1, round((window + 1) * window_s - now))
        if spent == limit + 1:
            log.warning("RATE_LIMITED", key=key, limit=limit, window_s=window_s)
        raise RateLimitedError(
            f"More than {limit} requests in {window_s} seconds. Wait {retry_after} s.",
            headers={"Retry-After": str(retry_after)},
        )
