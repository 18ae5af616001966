"""The structured answer of a tool call, told apart by its outcome."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Outcome(StrEnum):
    """How a tool call ended. The table of meanings and of what may be retried is in docs/envelopes.md."""

    OK = "ok"
    SLOW = "slow"
    EMPTY = "empty"
    TIMEOUT = "timeout"
    AUTH_FAILED = "auth_failed"
    DEGRADED = "degraded"
    REJECTED = "rejected"
    ERROR = "error"

    @property
    def has_data(self) -> bool:
        """Whether `data` is an answer. An empty answer is one: "nothing" is what the tool found."""
        return self in (Outcome.OK, Outcome.SLOW, Outcome.EMPTY)


class SpanState(StrEnum):
    """What a span shows instead of an outcome, while or because it has none."""

    RUNNING = "running"
    WAITING = "waiting"
    UNREPORTED = "unreported"


@dataclass(frozen=True, slots=True)
class Budget:
    """How long a call may take, in milliseconds: `soft_ms` until it counts as slow, `hard_ms` until it is cancelled."""

    soft_ms: int
    hard_ms: int

    def __post_init__(self) -> None:
        if not 0 < self.soft_ms <= self.hard_ms:
            raise ValueError(f"a budget needs 0 < soft_ms <= hard_ms, got {self.soft_ms} and {self.hard_ms}")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of a call: when it began (RFC 3339), how long it took and how it ended."""

    at: str
    elapsed_ms: int
    outcome: Outcome
    message: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The fields by their names on the wire."""
        return {
            "at": self.at, "elapsed_ms": self.elapsed_ms, "outcome": self.outcome.value, "message": self.message,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Hint:
    """What the agent could do instead."""

    fallback_to: str
    reason: str


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a tool call came to. `message` is written for the model that reads it; `data` only counts if the outcome has data."""

    tool: str
    outcome: Outcome
    elapsed_ms: int
    budget: Budget
    data: Any = None
    message: str = ""
    retryable: bool = False
    attempts: tuple[Attempt, ...] = field(default=())
    hint: Hint | None = None
    request_id: str = ""

    @property
    def is_ok(self) -> bool:
        """Whether `data` is an answer."""
        return self.outcome.has_data

    def as_dict(self) -> dict[str, Any]:
        """The fields as docs/envelopes.md names them, to hand to a model as JSON; `data` is what the tool returned."""
        return {
            "tool": self.tool,
            "outcome": self.outcome.value,
            "data": self.data,
            "message": self.message,
            "retryable": self.retryable,
            "elapsed_ms": self.elapsed_ms,
            "budget": {"soft_ms": self.budget.soft_ms, "hard_ms": self.budget.hard_ms},
            "attempts": [attempt.as_dict() for attempt in self.attempts],
            "hint": {"fallback_to": self.hint.fallback_to, "reason": self.hint.reason} if self.hint else None,
            "request_id": self.request_id,
        }
