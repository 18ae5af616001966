"""Whether the console answers, and when to ask it again."""

import time
from collections.abc import Callable

import structlog

from agentconsole.sdk.post import Fate, Receipt
from agentconsole.sdk.retry import Retry

log = structlog.get_logger(__name__)

_BACKOFF = Retry(base_s=0.5, cap_s=30.0)
_REFUSED_PAUSE_S = 30.0


class Link:
    """The state of the way to the console. Each outage is said once when it begins and once when it ends."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._next_at = 0.0
        self._failures = 0

    @property
    def is_up(self) -> bool:
        """Whether the last batch was answered, or none was sent yet."""
        return self._failures == 0

    def due_in_s(self) -> float:
        """Seconds until the console may be asked again; 0 where it may be now."""
        return max(self._next_at - self._clock(), 0.0)

    def try_now(self) -> None:
        """Ask again without waiting any longer: the process is about to end."""
        self._next_at = 0.0

    def answered(self) -> None:
        """A batch was read by the console."""
        if self._failures:
            log.info("SDK_CONSOLE_BACK", failures=self._failures)
        self._failures, self._next_at = 0, 0.0

    def lost(self, receipt: Receipt) -> None:
        """A batch did not get through, or the console would not have it from us."""
        self._failures += 1
        is_refused = receipt.fate is Fate.REFUSED
        pause_s = (
            _REFUSED_PAUSE_S if is_refused else max(_BACKOFF.pause_s(self._failures), receipt.retry_after_s or 0.0)
        )
        self._next_at = self._clock() + pause_s
        if self._failures > 1:
            return
        if is_refused:
            log.error("SDK_REFUSED", reason=receipt.reason, hint="check CONSOLE_URL and CONSOLE_TOKEN")
        else:
            log.warning("SDK_CONSOLE_AWAY", reason=receipt.reason)
