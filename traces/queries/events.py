"""Reading trace events across runs, by token. The one index they have leads with it, so a token always comes first."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection
from django.db.models import Q

from agentconsole.errors import BadRequestError, NotFoundError
from agentconsole.protocol.tokens import Level, is_token
from runs.models import Run, TraceEvent
from runs.queries.run_filter import RANGES

EVENTS_A_PAGE = 100
TOKENS_COUNTED = 300
COUNTED_A_TOKEN = 1000
DEFAULT_RANGE = "24h"
LEVELS = [level.value for level in Level]


@dataclass(frozen=True, slots=True)
class EventFilter:
    """What the page is narrowed to. `environments` is what the person may see, narrowed to the one that was asked for."""

    token: str
    level: str
    environments: tuple[str, ...]
    environment: str
    range: str
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class EventCursor:
    """The last event of a page."""

    at: datetime
    event_id: uuid.UUID

    def __str__(self) -> str:
        return f"{self.at.astimezone(UTC):%Y%m%dT%H%M%S.%f}_{self.event_id.hex}"


@dataclass(frozen=True, slots=True)
class EventPage:
    """Events, newest first, each with its run and agent, and the cursor of the page after them."""

    events: Sequence[TraceEvent]
    next_cursor: EventCursor | None = None


@dataclass(frozen=True, slots=True)
class TokenCount:
    """How often a token was seen in the window, counted among its newest COUNTED_A_TOKEN events."""

    token: str
    events: int
    is_more: bool


def event_filter_of(params: Mapping[str, str], visible: Sequence[str], now: datetime) -> EventFilter:
    """The filter that a URL's query asks for. BadRequestError, NotFoundError."""
    asked = {name: params.get(name, "").strip() for name in ("token", "level", "environment", "range")}
    span = asked["range"] or DEFAULT_RANGE
    if span not in RANGES:
        raise BadRequestError(f"range={span} is none of: {', '.join(RANGES)}.")
    if asked["level"] and asked["level"] not in LEVELS:
        raise BadRequestError(f"level={asked['level']} is none of: {', '.join(LEVELS)}.")
    environment = asked["environment"]
    if environment and environment not in visible:
        raise NotFoundError(f"There is no environment {environment}, or you can't see it.")
    token = asked["token"].upper()
    if token and not is_token(token):
        raise BadRequestError(f"{token} is no token: tokens are UPPER_SNAKE, like ROUTER_DECISION.")
    environments = (environment,) if environment else tuple(visible)
    return EventFilter(token, asked["level"], environments, environment, span, now - RANGES[span], now)


def event_cursor_of(text: str) -> EventCursor | None:
    """The cursor of a page's `before`, None without one. BadRequestError."""
    if not text:
        return None
    at, _, event_id = text.partition("_")
    try:
        return EventCursor(datetime.strptime(at, "%Y%m%dT%H%M%S.%f").replace(tzinfo=UTC), uuid.UUID(event_id))
    except ValueError as error:
        raise BadRequestError("That page's address is damaged. Go back to the newest events.") from error


def event_page(chosen: EventFilter, cursor: EventCursor | None) -> EventPage:
    """A token's events in the window, newest first. One query, by the index event_by_token. Agents' clocks may be ahead:
    the window is open at its end."""
    found = TraceEvent.objects.filter(
        token=chosen.token, at__gte=chosen.since, run__environment__in=chosen.environments
    )
    if chosen.level:
        found = found.filter(level=chosen.level)
    if cursor:
        same = Q(at=cursor.at, id__lt=cursor.event_id)
        found = found.filter(Q(at__lte=cursor.at) & (Q(at__lt=cursor.at) | same))
    events = list(found.select_related("run__agent").order_by("-at", "-id")[: EVENTS_A_PAGE + 1])
    page = events[:EVENTS_A_PAGE]
    return EventPage(page, EventCursor(page[-1].at, page[-1].id) if len(events) > EVENTS_A_PAGE else None)


def token_counts(chosen: EventFilter) -> list[TokenCount]:
    """The tokens of the window, most frequent first. One query, of bounded work: it hops from token to token by the
    index (no database of ours does a GROUP BY so) and counts COUNTED_A_TOKEN events of each at most."""
    if not chosen.environments:
        return []
    since = connection.ops.adapt_datetimefield_value(chosen.since)
    level = [chosen.level] if chosen.level else []
    with connection.cursor() as cursor:
        cursor.execute(_counts_sql(len(chosen.environments), bool(level)), [since, *level, *chosen.environments])
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    counts = [TokenCount(token, min(events, COUNTED_A_TOKEN), events > COUNTED_A_TOKEN) for token, events in rows]
    return sorted((count for count in counts if count.events), key=lambda count: (-count.events, count.token))


def _counts_sql(environments: int, has_level: bool) -> str:
    events, runs = TraceEvent._meta.db_table, Run._meta.db_table
    level = "AND e.level = %s" if has_level else ""
    places = ", ".join(["%s"] * environments)
    return f"""
        WITH RECURSIVE hop(token) AS (
            SELECT MIN(token) FROM {events}
            UNION ALL
            SELECT (SELECT MIN(e.token) FROM {events} e WHERE e.token > hop.token) FROM hop WHERE hop.token IS NOT NULL
        )
        SELECT hop.token, (
            SELECT COUNT(*) FROM (
                SELECT e.run_id FROM {events} e WHERE e.token = hop.token AND e.at >= %s {level}
                ORDER BY e.at DESC LIMIT {COUNTED_A_TOKEN + 1}
            ) newest JOIN {runs} r ON r.id = newest.run_id WHERE r.environment_id IN ({places})
        ) FROM hop WHERE hop.token IS NOT NULL LIMIT {TOKENS_COUNTED}
    """  # noqa: S608  names of our own tables and whole numbers; every value is a parameter
