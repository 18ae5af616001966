"""How often, and after which wait, a failed call or delivery is tried again."""

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Retry:
    """Exponential backoff with full jitter: before try n + 1, a wait drawn evenly from 0 to `base_s` x 2^(n - 1), at most `cap_s`.

    Full jitter spreads the callers that one outage has synchronised.
    """

    attempts: int = 3
    base_s: float = 0.25
    cap_s: float = 5.0

    def pause_s(self, failures: int) -> float:
        """The wait after this many failures in a row."""
        ceiling = min(self.cap_s, self.base_s * 2.0 ** min(failures - 1, 30))
        return random.uniform(0, ceiling)  # noqa: S311 -- jitter, not a secret


DEFAULT_RETRY = Retry()
NO_RETRY = Retry(attempts=1)
