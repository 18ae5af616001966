"""What a run's summary says about its state. A run is running, quiet, stalled, waiting or ended; never "running" for ever."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from agentconsole.protocol.envelope import Outcome
from runs.models import Run, RunStatus
from runs.wording import duration_text

FAILED = frozenset({Outcome.TIMEOUT, Outcome.AUTH_FAILED, Outcome.DEGRADED, Outcome.ERROR})
_QUIET_IN_HEARTBEATS = 1.5
_SHORTEST = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class State:
    """The word for a badge, and a sentence where there is more to say."""

    word: str
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of time by the agent's clock."""

    start: datetime
    end: datetime
    is_live: bool = False

    @property
    def length(self) -> timedelta:
        """How long it is; never nothing, so that shares of it can be told."""
        return max(self.end - self.start, _SHORTEST)

    def percent(self, at: datetime) -> float:
        """Where a moment stands in it: 0 at its start, 100 at its end."""
        return (at - self.start) / self.length * 100


@dataclass(frozen=True, slots=True)
class Deadline:
    """How a deadline stands."""

    at: datetime
    text: str
    is_over: bool


def state_of(run: Run, now: datetime) -> State:
    """The state of a run by the console's clock: what calls itself running and gives no sign of life is quiet, then stalled."""
    if run.is_ended:
        return State(run.status, _failures(run))
    if run.status == RunStatus.WAITING:  # it owes no sign of life while a person decides
        return State("waiting", "waiting on a person")
    silent = now - run.last_seen_at
    since = f"no sign of life for {_text(silent)}"
    if run.status == RunStatus.STALLED or silent > timedelta(seconds=run.lease_s):
        return State("stalled", f"{since}; its lease is {_text(timedelta(seconds=run.lease_s))}")
    if run.status == RunStatus.RUNNING and silent > timedelta(seconds=run.heartbeat_s * _QUIET_IN_HEARTBEATS):
        return State("quiet", f"{since}; a tick is due every {_text(timedelta(seconds=run.heartbeat_s))}")
    return State(run.status)


def _failures(run: Run) -> str:
    """A run may succeed although tools failed on its way: that is a state of its own."""
    if run.status != RunStatus.SUCCEEDED:
        return ""
    failed = sum(number for outcome, number in run.tools.items() if outcome in FAILED)
    return "" if not failed else f"with {failed} failed tool call{'' if failed == 1 else 's'}"


def stretch_of(run: Run, now: datetime) -> Stretch:
    """From a run's start to its end; to now by the agent's clock while it is live, to its last sign of life once stalled."""
    if run.ended_at is not None:
        return Stretch(run.started_at, max(run.ended_at, run.started_at))
    is_stalled = run.status == RunStatus.STALLED
    ahead = timedelta(milliseconds=run.clock_skew_ms)
    end = (run.last_seen_at if is_stalled else now) + ahead
    return Stretch(run.started_at, max(end, run.started_at), is_live=not is_stalled)


def deadline_of(run: Run, now: datetime) -> Deadline | None:
    """How a run's deadline stands, None if it has none."""
    if run.deadline_at is None:
        return None
    end = run.ended_at or now + timedelta(milliseconds=run.clock_skew_ms)
    left = run.deadline_at - end
    is_over = left < timedelta(0)
    if run.is_ended:
        text = f"missed by {_text(-left)}" if is_over else f"met with {_text(left)} to spare"
    else:
        text = f"passed {_text(-left)} ago" if is_over else f"{_text(left)} left"
    return Deadline(run.deadline_at, text, is_over)


def _text(length: timedelta) -> str:
    return duration_text(max(length / timedelta(milliseconds=1), 0))
