"""The course of one tool call: when to try, when to try again, what it came to. It decides; others wait and work."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from agentconsole.protocol.envelope import Attempt, Budget, Envelope, Hint, Outcome
from agentconsole.sdk.circuit import Circuit, Turn
from agentconsole.sdk.classify import Verdict, classify_answer, classify_error, classify_expiry, seconds
from agentconsole.sdk.invoke import Ending
from agentconsole.sdk.payload import prepare_text
from agentconsole.sdk.retry import DEFAULT_RETRY, Retry

DEFAULT_BUDGET = Budget(soft_ms=2_000, hard_ms=10_000)
_UNHEALTHY = (Outcome.TIMEOUT, Outcome.DEGRADED)


@dataclass(frozen=True, slots=True)
class CallOptions:
    """What the caller grants a tool: time, another try, and what to do instead."""

    name: str
    budget: Budget = DEFAULT_BUDGET
    idempotent: bool = False
    retry: Retry = DEFAULT_RETRY
    hint: Hint | None = None
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Try:
    """One try to make: after `pause_s`, for at most `limit_s`."""

    pause_s: float
    limit_s: float


class ToolCall:
    """Use: while `next_try()` gives a try, make it and `settle` how it ended; then read `envelope()`.

    A try that was begun and not settled (the caller was cancelled) must be given back by `release()`.
    """

    def __init__(
        self,
        options: CallOptions,
        circuit: Circuit,
        remaining_s: Callable[[], float | None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._options = options
        self._circuit = circuit
        self._remaining_s = remaining_s
        self._clock = clock
        self._begun_at = clock()
        self._attempts: list[Attempt] = []
        self._try: tuple[datetime, float, Try] | None = None
        self._verdict: Verdict | None = None
        self._answer: object = None

    def next_try(self) -> Try | None:
        """The next try, or None where the envelope is final."""
        pause_s = self._pause_s()
        if pause_s is None:
            return None
        hard_s = self._options.budget.hard_ms / 1000
        left_s = self._remaining_s()
        if left_s is not None and left_s <= pause_s:
            self._verdict = self._verdict or Verdict(
                Outcome.TIMEOUT, "not tried: the run's deadline has passed; report"
            )
            return None
        closed_for_s = self._circuit.admit()
        if closed_for_s is not None:
            self._verdict = self._verdict or _circuit_open(closed_for_s)
            return None
        planned = Try(pause_s, hard_s if left_s is None else min(hard_s, left_s - pause_s))
        self._try = datetime.now(UTC) + timedelta(seconds=pause_s), self._clock() + pause_s, planned
        return planned

    def begin_now(self) -> None:
        """The call's time begins here: until now it waited for people."""
        self._begun_at = self._clock()

    def refuse(self, error: Exception) -> Envelope:
        """What a call that was never made came to."""
        self._verdict = classify_error(error)
        return self.envelope()

    def settle(self, ending: Ending) -> Turn:
        """Take note of how the try that `next_try` gave has ended; what it did to the circuit."""
        assert self._try is not None
        at, begun_at, planned = self._try
        self._try = None
        elapsed_ms = max(round((self._clock() - begun_at) * 1000), 0)
        verdict = self._judge(ending, elapsed_ms, planned)
        self._verdict, self._answer = verdict, ending.value
        self._attempts.append(Attempt(at.isoformat(), elapsed_ms, verdict.outcome, verdict.message))
        return self._circuit.record(is_healthy=verdict.outcome not in _UNHEALTHY)

    def release(self) -> None:
        """Give back a try that was begun and will never be settled."""
        if self._try is not None:
            self._try = None
            self._circuit.release()

    def envelope(self) -> Envelope:
        """What the call came to."""
        verdict = self._verdict or Verdict(Outcome.ERROR, "never tried")
        message = verdict.message
        if len(self._attempts) > 1:
            message = prepare_text(f"{message} (tried {len(self._attempts)} times)".strip())
        return Envelope(
            tool=self._options.name,
            outcome=verdict.outcome,
            elapsed_ms=max(round((self._clock() - self._begun_at) * 1000), 0),
            budget=self._options.budget,
            data=self._answer if verdict.outcome.has_data else None,
            message=message,
            retryable=self._may_retry(verdict.outcome),
            attempts=tuple(self._attempts),
            hint=None if verdict.outcome.has_data else self._options.hint,
            request_id=self._options.request_id,
        )

    def _judge(self, ending: Ending, elapsed_ms: int, planned: Try) -> Verdict:
        if ending.expired:
            return classify_expiry(planned.limit_s, is_abandoned=ending.is_still_working is not None)
        if ending.error is not None:
            return classify_error(ending.error)
        return classify_answer(ending.value, elapsed_ms, self._options.budget)

    def _pause_s(self) -> float | None:
        """The wait before the next try, or None where the table of outcomes, or the bound, forbids one."""
        if self._verdict is None:
            return 0.0
        failures = len(self._attempts)
        if not self._may_retry(self._verdict.outcome) or failures >= self._options.retry.attempts:
            return None
        asked_s = self._verdict.retry_after_s or 0.0
        if asked_s > self._options.retry.cap_s:
            return None
        return max(asked_s, self._options.retry.pause_s(failures))

    def _may_retry(self, outcome: Outcome) -> bool:
        return outcome is Outcome.DEGRADED or (outcome is Outcome.TIMEOUT and self._options.idempotent)


def _circuit_open(closed_for_s: float) -> Verdict:
    wait = f"the next try is possible in {seconds(closed_for_s)}" if closed_for_s else "one call is probing it now"
    return Verdict(
        Outcome.DEGRADED, f"service degraded: it failed too often and is left alone, {wait}; pivot or report"
    )
