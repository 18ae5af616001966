"""The console's public keys, as a tool server keeps them: fetched seldom, and kept while the console is away."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx

Keys = Mapping[str, Any]

PATH = "/.well-known/jwks.json"
# A key that the console withdrew is let go of this soon.
REFRESH_AFTER_S = 300.0
# While the console can't be reached: how long its last answer counts, and how often it is asked.
KEPT_S = 3600.0
RETRY_AFTER_S = 10.0
# A key that is not known is worth a look at the console, but not one for each forged grant.
REFETCH_AFTER_S = 30.0


class KeysUnavailableError(RuntimeError):
    """The console has not answered with its keys, or not for too long."""


class ConsoleKeys:
    """The key set at a console's `/.well-known/jwks.json`. For any number of threads."""

    def __init__(
        self,
        console_url: str,
        *,
        client: httpx.Client | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = console_url if console_url.endswith(PATH) else console_url.rstrip("/") + PATH
        self._client = client or httpx.Client(timeout=5.0, follow_redirects=False)
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: Keys = {"keys": []}
        self._fetched_at = self._tried_at = self._refetched_at = float("-inf")
        self._trouble = ""

    def __call__(self) -> Keys:
        """The key set, at most five minutes old; an hour while the console is away. KeysUnavailableError."""
        with self._lock:
            now = self._clock()
            if now - self._fetched_at > REFRESH_AFTER_S and now - self._tried_at > RETRY_AFTER_S:
                self._fetch(now)
            return self._current(now)

    def refetch(self) -> Keys:
        """The key set anew, for a key that is not known; at most twice a minute, whoever asks. KeysUnavailableError."""
        with self._lock:
            now = self._clock()
            if now - self._refetched_at > REFETCH_AFTER_S:
                self._refetched_at = now
                self._fetch(now)
            return self._current(now)

    def _current(self, now: float) -> Keys:
        if now - self._fetched_at > KEPT_S:
            raise KeysUnavailableError(f"{self._url} gave no keys: {self._trouble}")
        return self._keys

    def _fetch(self, now: float) -> None:
        self._tried_at = now
        try:
            # Past whatever caches stand between.
            answer = self._client.get(self._url, headers={"Cache-Control": "no-cache"})
            self._keys = {"keys": _known_by_id(answer.raise_for_status().json())}
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            self._trouble = f"{type(error).__name__}: {error}"
        else:
            self._fetched_at = now


def _known_by_id(answer: Any) -> list[dict[str, Any]]:
    """The keys of a key set. KeyError and TypeError for what is none."""
    return [{**key, "kid": str(key["kid"])} for key in answer["keys"]]
