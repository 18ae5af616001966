"""What a run list is narrowed to: read from the URL, applied to queries, shown as chips."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from django.db.models import Q

from agentconsole.errors import BadRequestError, NotFoundError
from agentconsole.protocol.context import Transport
from agentconsole.protocol.envelope import Outcome
from runs.models import RunStatus, TraceEvent

RANGES = {
    "15m": timedelta(minutes=15),
    "1h": timedelta(hours=1),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
}
CHOICES: dict[str, list[str]] = {
    "status": list(RunStatus.values),
    "transport": [door.value for door in Transport],
    "outcome": [outcome.value for outcome in Outcome],
    "range": list(RANGES),
}
FIELDS = ("status", "agent", "environment", "transport", "actor", "outcome", "token", "range", "from", "to")
# No index leads with these: a list narrowed by one of them walks its time range, so it always has one.
_WALKING = ("transport", "actor", "outcome", "token")
_WALK_RANGE = "7d"


@dataclass(frozen=True, slots=True)
class Chip:
    """One condition as people see it."""

    field: str
    value: str
    word: str


@dataclass(frozen=True, slots=True)
class RunFilter:
    """The conditions of a run list. `environments` is what the person may see, narrowed to the one that was asked for."""

    environments: tuple[str, ...]
    values: Mapping[str, str]
    since: datetime | None
    until: datetime | None
    is_range_implied: bool = False

    @property
    def environment(self) -> str:
        """The one environment that was asked for, or nothing."""
        return self.values.get("environment", "")

    @property
    def agent(self) -> str:
        """The agent's name that was asked for, or nothing."""
        return self.values.get("agent", "")

    @property
    def is_walking(self) -> bool:
        """Whether a condition is set that no index has: every row of the range is looked at."""
        return any(name in self.values for name in _WALKING)

    @property
    def statuses(self) -> list[str]:
        """The one status that was asked for, or all."""
        return [self.values["status"]] if "status" in self.values else list(RunStatus.values)

    @property
    def chips(self) -> list[Chip]:
        """What is set, in the order of FIELDS."""
        return [Chip(name, self.values[name], _word(name, self.values[name])) for name in FIELDS if name in self.values]

    @property
    def query(self) -> str:
        """What is set, as a URL's query."""
        return urlencode({name: self.values[name] for name in FIELDS if name in self.values})

    def conditions(self) -> Q:
        """All but environment and agent, which choose the index."""
        found = Q()
        if self.since:
            found &= Q(started_at__gte=self.since)
        if self.until:
            found &= Q(started_at__lt=self.until)
        for name in ("status", "transport"):
            if name in self.values:
                found &= Q(**{name: self.values[name]})
        if actor := self.values.get("actor"):
            found &= Q(subject=actor) | Q(on_behalf_of=actor) | Q(actor=actor)
        if outcome := self.values.get("outcome"):
            found &= Q(**{f"tools__{outcome}__gt": 0})
        if token := self.values.get("token"):
            found &= self._has_event(token)
        return found

    def _has_event(self, token: str) -> Q:
        # A run's events are later than its start, by one clock: the token's index is read from `since` on.
        events = TraceEvent.objects.filter(token=token)
        if self.since:
            events = events.filter(at__gte=self.since)
        return Q(id__in=events.values("run_id"))


def filter_of(params: Mapping[str, str], visible: Sequence[str], now: datetime) -> RunFilter:
    """The filter that a URL's query asks for. BadRequestError for a value that can't be, NotFoundError for an
    environment that is not there or not visible: a page that ignored its filter would lie."""
    values = {name: params[name].strip() for name in FIELDS if params.get(name, "").strip()}
    for name, choices in CHOICES.items():
        if values.get(name, choices[0]) not in choices:
            raise BadRequestError(f"{name}={values[name]} is none of: {', '.join(choices)}.")
    environment = values.get("environment")
    if environment and environment not in visible:
        raise NotFoundError(f"There is no environment {environment}, or you can't see it.")
    since, until = _time(values.get("from"), "from"), _time(values.get("to"), "to")
    is_implied = not ({"range", "from"} & values.keys()) and any(name in values for name in _WALKING)
    span = RANGES[_WALK_RANGE] if is_implied else RANGES.get(values.get("range", ""))
    if span and since is None:
        since = (until or now) - span
    return RunFilter((environment,) if environment else tuple(visible), values, since, until, is_implied)


def _time(text: str | None, name: str) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadRequestError(f"{name}={text} is not a time. Write it as 2026-03-01T09:30, in UTC.") from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _word(name: str, value: str) -> str:
    return f"last {value}" if name == "range" else value.replace("T", " ") if name in ("from", "to") else value


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last row of a page: the next page starts after it."""

    started_at: datetime
    run_id: uuid.UUID

    def __str__(self) -> str:
        return f"{self.started_at.astimezone(UTC):%Y%m%dT%H%M%S.%f}_{self.run_id.hex}"

    def older(self) -> Q:
        """Rows after it, newest first; the first condition is what the index can use."""
        same = Q(started_at=self.started_at, id__lt=self.run_id)
        return Q(started_at__lte=self.started_at) & (Q(started_at__lt=self.started_at) | same)


def cursor_of(text: str) -> Cursor | None:
    """The cursor of a page's `before`, None without one. BadRequestError."""
    if not text:
        return None
    at, _, run_id = text.partition("_")
    try:
        return Cursor(datetime.strptime(at, "%Y%m%dT%H%M%S.%f").replace(tzinfo=UTC), uuid.UUID(run_id))
    except ValueError as error:
        raise BadRequestError("That page's address is damaged. Go back to the newest runs.") from error
