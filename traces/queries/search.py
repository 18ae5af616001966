"""Searching the texts of runs. Bounded: of what matches, the newest LOOKED_AT are looked at for the other conditions, and the page says how far back that is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Q

from runs.models import Agent, Run, Span, TraceEvent
from traces.models import LogText, SearchIndex
from traces.queries.search_filter import SearchFilter
from traces.search.asked import Term, fts5, terms_in, tsquery
from traces.search.snippet import Piece, snippet

FOUND_A_PAGE = 50
LOOKED_AT = 500
_TABLE = LogText._meta.db_table


@dataclass(frozen=True, slots=True)
class Match:
    """A row of a run's log that answers, its run, and the part of its text that shows why."""

    kind: str
    row_id: str
    at: datetime
    name: str
    level: str
    outcome: str
    run: Run
    pieces: Sequence[Piece]

    @property
    def path(self) -> str:
        """Where it stands in its run."""
        if self.kind == "event":
            return f"/runs/{self.run.id}/?tab=tokens&event={self.row_id}"
        return f"/runs/{self.run.id}/?span={self.row_id}"


@dataclass(frozen=True, slots=True)
class Matches:
    """A page of matches, newest first. `before` goes on after it, `looked_back_to` is where a look ended that found too little."""

    rows: Sequence[Match]
    before: int | None = None
    looked_back_to: datetime | None = None


def matches(chosen: SearchFilter, before: int | None = None) -> Matches:
    """Events and spans that answer the filter. Six queries at most, of bounded work."""
    terms = terms_in(chosen.text)
    ids, last_looked_at = _ids(chosen, terms, before)
    found = LogText.objects.filter(id__in=ids[: FOUND_A_PAGE + 1]).order_by("-id")
    rows = list(found.defer("words"))
    page = rows[:FOUND_A_PAGE]
    shown = _shown(page, terms)
    if len(rows) > FOUND_A_PAGE:
        return Matches(shown, before=page[-1].id)
    if last_looked_at is None:
        return Matches(shown)
    looked_at = LogText.objects.filter(id=last_looked_at).values_list("at", flat=True).first()
    return Matches(shown, before=last_looked_at, looked_back_to=looked_at)


def matching_ids(chosen: SearchFilter) -> tuple[list[int], bool]:
    """Ids of the newest rows that answer, and whether there may be more. One query."""
    sql, parameters = _statement(chosen, terms_in(chosen.text), None)
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows: list[tuple[int, bool]] = cursor.fetchall()
    return [row_id for row_id, answers in rows if answers], len(rows) == LOOKED_AT


def indexed_until() -> datetime | None:
    """Up to when the log is indexed. One query."""
    return SearchIndex.objects.values_list("until", flat=True).first()


def _ids(chosen: SearchFilter, terms: Sequence[Term], before: int | None) -> tuple[list[int], int | None]:
    """Ids of rows that answer, newest first, one more than a page; and the id of the last row looked at, where that was not the last one."""
    sql, parameters = _statement(chosen, tuple(terms), before)
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows: list[tuple[int, bool]] = cursor.fetchall()
    answering = [row_id for row_id, answers in rows if answers]
    if len(answering) > FOUND_A_PAGE or len(rows) < LOOKED_AT:
        return answering, None
    return answering, rows[-1][0]


def _statement(chosen: SearchFilter, terms: tuple[Term, ...], before: int | None) -> tuple[str, list[Any]]:
    """The newest LOOKED_AT rows that have the words, each with whether it meets the other conditions."""
    conditions, values = _conditions(chosen)
    candidates, own = _candidates(chosen, terms, before)
    sql = f"""
        SELECT t.id, CASE WHEN {conditions} THEN 1 ELSE 0 END
        FROM ({candidates}) c JOIN {_TABLE} t ON t.id = c.id ORDER BY t.id DESC
    """  # noqa: S608  names of our own tables; every value is a parameter
    return sql, [*values, *own]


def _candidates(chosen: SearchFilter, terms: tuple[Term, ...], before: int | None) -> tuple[str, list[Any]]:
    bound = 2**62 if before is None else before
    if not terms:
        places = ", ".join(["%s"] * len(chosen.environments)) or "NULL"
        named = "AND name = %s" if chosen.name else ""
        sql = f"SELECT id FROM {_TABLE} WHERE environment IN ({places}) {named} AND id < %s ORDER BY id DESC LIMIT {LOOKED_AT}"  # noqa: S608
        return sql, [*chosen.environments, *([chosen.name] if chosen.name else []), bound]
    if connection.vendor == "sqlite":
        sql = f"SELECT rowid AS id FROM {_TABLE}_fts WHERE {_TABLE}_fts MATCH %s AND rowid < %s ORDER BY rowid DESC LIMIT {LOOKED_AT}"  # noqa: S608
        return sql, [fts5(terms), bound]
    sql = f"SELECT id FROM {_TABLE} WHERE vector @@ to_tsquery('simple', %s) AND id < %s ORDER BY id DESC LIMIT {LOOKED_AT}"  # noqa: S608
    return sql, [tsquery(terms), bound]


def _conditions(chosen: SearchFilter) -> tuple[str, list[Any]]:
    places = ", ".join(["%s"] * len(chosen.environments)) or "NULL"
    parts: list[str] = [f"t.environment IN ({places})", "t.at >= %s"]
    values: list[Any] = [*chosen.environments, connection.ops.adapt_datetimefield_value(chosen.since)]
    for column, value in (("t.level", chosen.level), ("t.outcome", chosen.outcome), ("t.name", chosen.name)):
        if value:
            parts.append(f"{column} = %s")
            values.append(value)
    if chosen.tool:
        parts.append("t.kind = 'tool'")
    if chosen.agent:
        agents = list(Agent.objects.filter(name=chosen.agent, environment__in=chosen.environments).values_list("id"))
        parts.append(f"t.agent_id IN ({', '.join(['%s'] * len(agents)) or 'NULL'})")
        values += [agent_id for (agent_id,) in agents]
    return " AND ".join(parts), values


def _shown(page: Sequence[LogText], terms: Sequence[Term]) -> list[Match]:
    """The matches whose rows and runs are still kept."""
    runs = {run.id: run for run in Run.objects.filter(id__in={row.run_id for row in page}).select_related("agent")}
    texts = _texts(page)
    return [
        Match(
            row.kind, row.row_id, row.at, row.name, row.level, row.outcome, runs[row.run_id],
            snippet(texts[row.run_id, row.row_id], terms),
        )
        for row in page
        if row.run_id in runs and (row.run_id, row.row_id) in texts
    ]  # fmt: skip


def _texts(page: Sequence[LogText]) -> dict[tuple[Any, str], str]:
    events, spans = Q(pk__in=[]), Q(pk__in=[])
    for row in page:
        if row.kind == "event":
            events |= Q(run_id=row.run_id, id=row.row_id)
        else:
            spans |= Q(run_id=row.run_id, span_id=row.row_id)
    texts: dict[tuple[Any, str], str] = {}
    if len(events):
        for run_id, event_id, message, fields in TraceEvent.objects.filter(events).values_list(
            "run_id", "id", "message", "fields"
        ):
            told = " ".join(f"{name}={value}" for name, value in fields.items())
            texts[run_id, event_id.hex] = f"{message} {told}".strip()
    if len(spans):
        for run_id, span_id, *parts in Span.objects.filter(spans).values_list(
            "run_id", "span_id", "message", "arguments", "result"
        ):
            texts[run_id, span_id] = " · ".join(part for part in parts if part)
    return texts
