"""Finding a run by any ID that a person can paste, whole or its beginning. Each look-up is an index's range."""

import re
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.db import connection
from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Coalesce

from agentconsole.protocol.ids import is_request_id
from runs.models import Run, Span

HITS_A_KIND = 20
SHORTEST_PREFIX = 4
WHOLE, WHOLE_SPAN = 32, 16  # hex digits of a run's or trace's id, and of a span's
_HEX = re.compile(r"[0-9a-f]{1,32}")
_AFTER_HEX = "g"
_LAST_CHARACTER = "\U0010ffff"
_COLUMNS = (
    "id", "request_id", "trace_id", "status", "started_at", "ended_at", "last_seen_at", "heartbeat_s", "lease_s",
    "tools", "environment", "agent__name",
)  # fmt: skip


class Kind(StrEnum):
    """What an ID names."""

    REQUEST = "request"
    RUN = "run"
    TRACE = "trace"
    SPAN = "span"


@dataclass(frozen=True, slots=True)
class Hit:
    """A run that was found, and by which ID."""

    kind: Kind
    found_id: str
    run: Run

    @property
    def path(self) -> str:
        """Where it leads."""
        if self.kind is Kind.REQUEST:
            return f"/r/{self.found_id}"
        return f"/runs/{self.run.id}/" + (f"?span={self.found_id}" if self.kind is Kind.SPAN else "")


@dataclass(frozen=True, slots=True)
class Found:
    """All hits, and whether there were more of a kind than are listed."""

    hits: Sequence[Hit]
    is_cut: bool = False

    @property
    def only_path(self) -> str:
        """Where to go at once: there is one hit, or every hit leads to the same page. Else nothing."""
        paths = {hit.path for hit in self.hits}
        return paths.pop() if len(paths) == 1 else ""


def search(text: str, environments: Sequence[str]) -> Found:
    """What an ID, or the beginning of one, leads to in these environments. Four queries at most where it is a whole
    ID, seven where it is a beginning."""
    text = text.strip().strip("\"'`")
    plain = text.lower().replace("-", "")
    hexes = plain if _HEX.fullmatch(plain) else ""
    hits = [hit for part in _whole(text, hexes, environments) for hit in part]
    if hits or len(text) < SHORTEST_PREFIX:
        return Found(hits)
    parts = list(_beginnings(text, hexes, environments))
    return Found([hit for part in parts for hit in part[:HITS_A_KIND]], any(len(part) > HITS_A_KIND for part in parts))


def _whole(text: str, hexes: str, environments: Sequence[str]) -> Iterator[list[Hit]]:
    if is_request_id(text):
        yield _runs(Kind.REQUEST, Q(request_id=text), environments)
    if len(hexes) == WHOLE:
        yield _runs(Kind.RUN, Q(id=uuid.UUID(hexes)), environments)
        yield _runs(Kind.TRACE, Q(trace_id=hexes) & ~Q(trace_id=""), environments)
    if len(hexes) == WHOLE_SPAN:
        yield _spans(Q(span_id=hexes), environments)


def _beginnings(text: str, hexes: str, environments: Sequence[str]) -> Iterator[list[Hit]]:
    if is_request_id(text):
        yield _runs(Kind.REQUEST, request_ids_from(text), environments)
    if hexes and len(hexes) < WHOLE:
        first, last = (uuid.UUID(hexes.ljust(32, digit)) for digit in "0f")
        yield _runs(Kind.RUN, Q(id__gte=first, id__lte=last), environments)
        between = Q(trace_id__gte=hexes, trace_id__lt=hexes + _AFTER_HEX)
        yield _runs(Kind.TRACE, between & ~Q(trace_id=""), environments)
    if hexes and len(hexes) < WHOLE_SPAN:
        yield _spans(Q(span_id__gte=hexes, span_id__lt=hexes + _AFTER_HEX), environments)


def request_ids_from(beginning: str) -> Q:
    """Request IDs that begin so. PostgreSQL has an index for LIKE 'x%'; SQLite's LIKE ignores case and its index, but
    its text sorts by code point, so there it is a range."""
    if connection.vendor == "postgresql":
        return Q(request_id__startswith=beginning)
    return Q(request_id__gte=beginning, request_id__lt=beginning + _LAST_CHARACTER)


def runs_by(condition: Q, environments: Sequence[str]) -> QuerySet[Run]:
    """Runs by an ID. Not ordered by the database: that would read every match of a short beginning."""
    found = Run.objects.alias(here=_plain("environment_id")).filter(condition, here__in=environments)
    return found.select_related("agent").only(*_COLUMNS).order_by()[: HITS_A_KIND + 1]


def _plain(column: str) -> Coalesce:
    """A column that no index is used for: SQLite would rather read a whole environment than the few rows of an ID's range."""
    return Coalesce(column, Value(""))


def _runs(kind: Kind, condition: Q, environments: Sequence[str]) -> list[Hit]:
    id_of = {Kind.REQUEST: "request_id", Kind.TRACE: "trace_id"}.get(kind, "id")
    runs = sorted(runs_by(condition, environments), key=lambda run: run.started_at, reverse=True)
    return [Hit(kind, str(getattr(run, id_of)), run) for run in runs]


def spans_by(condition: Q, environments: Sequence[str]) -> QuerySet[Span]:
    """Spans by their ID, with their runs."""
    found = Span.objects.alias(here=_plain("run__environment_id")).filter(condition, here__in=environments)
    columns = [f"run__{column}" for column in _COLUMNS]
    return found.select_related("run__agent").only("run_id", "span_id", *columns).order_by()[: HITS_A_KIND + 1]


def _spans(condition: Q, environments: Sequence[str]) -> list[Hit]:
    return [Hit(Kind.SPAN, span.span_id, span.run) for span in spans_by(condition, environments)]
