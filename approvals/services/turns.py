"""Taking turns across threads and processes: at one receiving host, and for one idempotency key."""

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from django.core.cache import cache

from agentconsole import ratelimit
from agentconsole.errors import ConsoleError, RateLimitedError
from agentconsole.protocol.fingerprint import digest_of
from approvals.webhooks.sending import ATTEMPT_S

# Per receiving host, whatever its paths and however many instances name it; verifications and messages together.
HOST_RATE = 60
HOST_AT_ONCE = 3
# Longer than an attempt can take: a place or a key is free again when whoever held it is dead.
HELD_S = round(3 * ATTEMPT_S)
# As long as a verification and what is written after it can take, and less than a client waits for its answer.
WAIT_S = 20.0
LOOK_EVERY_S = 0.1


class InProgressError(ConsoleError):
    """Another call with this idempotency key is at it, longer than it should be."""

    code: ClassVar[str] = "in_progress"
    http_status: ClassVar[int] = 409
    title: ClassVar[str] = "That is being done"


@contextmanager
def place_at(host: str) -> Iterator[None]:
    """One of the few places to call a host from, and one call of its rate. RateLimitedError at once if there is none."""
    ratelimit.spend(f"webhook:{host}", limit=HOST_RATE)
    names = [f"webhook-place:{host}:{number}" for number in range(HOST_AT_ONCE)]
    held = next((name for name in names if cache.add(name, "held", timeout=HELD_S)), None)
    if held is None:
        raise RateLimitedError(
            "This host answers slowly: all its places are taken. Wait 5 s.", headers={"Retry-After": "5"}
        )
    try:
        yield
    finally:
        cache.delete(held)


@contextmanager
def turn_of(key: str) -> Iterator[None]:
    """One caller of a key at a time; others wait their turn and then look what came of it. InProgressError after WAIT_S."""
    name, mine = f"turn:{digest_of(key.encode())}", secrets.token_hex(8)
    until = time.monotonic() + WAIT_S
    while not cache.add(name, mine, timeout=HELD_S):
        if time.monotonic() >= until:
            raise InProgressError("Another call with this Idempotency-Key is under way.", headers={"Retry-After": "5"})
        time.sleep(LOOK_EVERY_S)
    try:
        yield
    finally:
        if cache.get(name) == mine:
            cache.delete(name)
