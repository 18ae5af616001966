"""How pages say things: times, durations, and the icon, word and colour role of each status and outcome. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import inf


@dataclass(frozen=True, slots=True)
class Badge:
    """A state as people see it: an icon and a word, and the design token that colours both."""

    icon: str
    word: str
    role: str


BADGES = {
    # outcomes of a call, and what a span says instead of one
    "ok": Badge("circle-check", "ok", "ok"),
    "slow": Badge("clock-alert", "slow", "slow"),
    "empty": Badge("circle-slash", "empty", "empty"),
    "timeout": Badge("timer-off", "timeout", "timeout"),
    "auth_failed": Badge("key-round", "auth", "auth"),
    "degraded": Badge("triangle-alert", "degraded", "degraded"),
    "rejected": Badge("shield-x", "rejected", "rejected"),
    "error": Badge("octagon-x", "error", "error"),
    "running": Badge("circle-dot", "running", "running"),
    "waiting": Badge("hand", "waiting", "waiting"),
    "unreported": Badge("circle-help", "unreported", "unreported"),
    # statuses of a run that are no outcome
    "queued": Badge("circle-dashed", "queued", "unreported"),
    "quiet": Badge("hourglass", "quiet", "slow"),
    "succeeded": Badge("circle-check", "succeeded", "ok"),
    "failed": Badge("circle-x", "failed", "error"),
    "timed_out": Badge("timer-off", "timed out", "timeout"),
    "cancelled": Badge("ban", "cancelled", "empty"),
    "stalled": Badge("unplug", "stalled", "stalled"),
    # levels of a trace event
    "debug": Badge("circle", "debug", "empty"),
    "info": Badge("info", "info", "running"),
    "warning": Badge("triangle-alert", "warning", "slow"),
    "critical": Badge("octagon-alert", "critical", "error"),
    # parts of the console
    "stale": Badge("hourglass", "stale", "slow"),
    "failing": Badge("circle-x", "failing", "error"),
    "not_ready": Badge("octagon-alert", "not ready", "error"),
    "draining": Badge("hourglass", "draining", "slow"),
    # an action
    "pending": Badge("hand", "waits for a decision", "waiting"),
    "approved": Badge("shield-check", "approved", "ok"),
    "denied": Badge("shield-x", "rejected", "rejected"),
    "lapsed": Badge("alarm-clock-off", "approved, not started in time", "timeout"),
    "claimed": Badge("play", "started, no outcome yet", "running"),
    "unknown": Badge("circle-help", "outcome unknown", "auth"),
    "superseded": Badge("git-compare", "superseded", "unreported"),
    # agents
    "ready": Badge("circle-check", "ready", "ok"),
    "idle": Badge("moon", "idle", "ok"),
    "seen": Badge("eye", "seen, no beats", "unreported"),
    "stopped": Badge("circle-stop", "stopped", "empty"),
    "gone": Badge("unplug", "gone", "stalled"),
    "unseen": Badge("circle-dashed", "never seen", "unreported"),
    "revoked": Badge("ban", "revoked", "empty"),
    "expired": Badge("alarm-clock-off", "expired", "timeout"),
    "active": Badge("key", "active", "ok"),
}

# What a run's page says of a run that is known from its spans alone, by `SourceNote`.
NOTES = {
    "root_missing": "The root of this trace was not received: what called the agent, and when it ended, is not known.",
    "tools_unreported": "No tool calls were reported by this source: its agents may have made some.",
    "person_awaited": "It stopped to wait for a person. What comes after the decision is another run of this request.",
}

TRANSPORT_ICONS = {
    "web": "globe",
    "rest": "braces",
    "websocket": "plug",
    "slack": "message-square",
    "grpc": "server",
    "schedule": "calendar-clock",
    "mcp": "waypoints",
    "cli": "terminal",
}

_ENVIRONMENT_ROLES = {
    "prod": ("prod", "production", "live"),
    "staging": ("staging", "stage", "preprod"),
    "dev": ("dev", "development", "local", "test"),
}


def badge_of(word: str) -> Badge:
    """The badge of a status, outcome or level; a word that nobody planned for reads as itself."""
    return BADGES.get(word) or Badge("circle", word.replace("_", " "), "empty")


def environment_role(name: str) -> str:
    """`prod`, `staging`, `dev` or `other`: the colour of an environment, by the first part of its name (`prod-eu` is prod)."""
    first = name.replace("_", "-").replace(".", "-").split("-")[0]
    return next((role for role, names in _ENVIRONMENT_ROLES.items() if first in names), "other")


_SECOND_MS = 1000
# Unit, its length, and the length from which the next one takes over; in seconds.
_UNITS = (("s", 1, 60), ("min", 60, 3600), ("h", 3600, 86400), ("d", 86400, inf))


def duration_text(milliseconds: float) -> str:
    """A duration with its units, two at most: `350 ms`, `1.2 s`, `42 s`, `2 min 5 s`, `3 h 10 min`, `4 d 2 h`."""
    if milliseconds < _SECOND_MS:
        return f"{int(milliseconds)} ms"
    if milliseconds < 10 * _SECOND_MS:
        return f"{int(milliseconds / 100) / 10:.1f} s"
    seconds = int(milliseconds / _SECOND_MS)
    place = next(place for place, (_unit, _length, limit) in enumerate(_UNITS) if seconds < limit)
    unit, length, _limit = _UNITS[place]
    if place == 0:
        return f"{seconds} s"
    part, part_length, _limit = _UNITS[place - 1]
    rest = seconds % length // part_length
    return f"{seconds // length} {unit}" + (f" {rest} {part}" if rest else "")


def relative_text(at: datetime, now: datetime) -> str:
    """How long ago, in one unit: `now`, `20 s ago`, `4 min ago`, `3 h ago`, `2 d ago`; `in 20 s` for what is to come."""
    seconds = (now - at) / timedelta(seconds=1)
    if abs(seconds) < 1:
        return "now"
    unit, length, _limit = next(row for row in _UNITS if abs(seconds) < row[2])
    amount = f"{int(abs(seconds) / length)} {unit}"
    return f"{amount} ago" if seconds > 0 else f"in {amount}"


def exact_text(at: datetime) -> str:
    """The exact time, for hover and copying: `2026-03-01 09:30:00.250 UTC`."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] + " UTC"
