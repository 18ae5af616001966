"""Rates: requests in fixed windows, counted where the deployment keeps its cache."""

import time

from django.core.cache import cache
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.locmem import LocMemCache

from agentconsole.errors import RateLimitedError
from agentconsole.faults import fault_words
from agentconsole.logconf import get_logger

log = get_logger(__name__)

WINDOW_S = 10
# A cache that failed is not asked again for so long: waiting for it would hold up every request.
LEFT_ALONE_S = 2.0


def spend(key: str, *, limit: int, window_s: int = WINDOW_S) -> None:
    """Count one request against `key`. RateLimitedError with `Retry-After` (seconds) once the window's `limit` is spent.

    While the shared cache can't be reached, each process counts for itself: the rate protects the console, it is no permission.
    """
    now = time.time()
    window = int(now // window_s)
    spent = _counter.count(f"rate:{key}:{window}", timeout_s=2 * window_s)
    if spent > limit:
        retry_after = max(1, round((window + 1) * window_s - now))
        if spent == limit + 1:
            log.warning("RATE_LIMITED", key=key, limit=limit, window_s=window_s)
        raise RateLimitedError(
            f"More than {limit} requests in {window_s} seconds. Wait {retry_after} s.",
            headers={"Retry-After": str(retry_after)},
        )


class _Counter:
    """Counts in the shared cache, and in this process's memory while that is away. Says once that it is, and once that it is back."""

    def __init__(self) -> None:
        self._own = LocMemCache("rates", {})
        self._left_alone_until = 0.0
        self._is_failing = False

    def count(self, name: str, *, timeout_s: int) -> int:
        """How often `name` was counted, this time included."""
        if time.monotonic() >= self._left_alone_until:
            try:
                counted = _count_in(cache, name, timeout_s)
            except Exception as error:  # noqa: BLE001  the edge to another service: any failure of it means the same
                self._left_alone_until = time.monotonic() + LEFT_ALONE_S
                self._tell(error)
            else:
                self._tell(None)
                return counted
        return _count_in(self._own, name, timeout_s)

    def _tell(self, error: Exception | None) -> None:
        if error and not self._is_failing:
            log.warning("RATES_LOCAL", error=fault_words(error))
        elif self._is_failing and not error:
            log.info("RATES_SHARED")
        self._is_failing = error is not None


def _count_in(where: BaseCache, name: str, timeout_s: int) -> int:
    where.add(name, 0, timeout=timeout_s)
    try:
        return where.incr(name)
    except ValueError:  # evicted between add and incr
        return 0


_counter = _Counter()
