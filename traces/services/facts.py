"""What the spans of a trace tell of its run: who asked, what for and under which names. Pure, and the same in whatever order they come.

A run's `source` keeps of each fact how far the span was believed that told it: the root first, then agents, then anything else;
the earlier span first.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from agentconsole.protocol.ids import is_request_id
from agentconsole.protocol.times import iso
from runs.ingest.clean import Cleaner
from runs.ingest.rows import Row
from runs.models import Run
from traces.mapping.account import Role, RunFacts

_ROOT, _AGENT, _OTHER, _LOG, _RESOURCE = range(5)
_AGENTS = (Role.AGENT, Role.WORKFLOW)
_COLUMNS = {"request_id": "request_id", "session_id": "session_id", "user": "on_behalf_of", "query": "query"}
_LABEL = 200

Rank = list[Any]


class Telling(NamedTuple):
    """The facts that one span or record tells, cleaned, each with how far it is believed."""

    facts: Mapping[str, tuple[Rank, str]]
    cut: Mapping[str, Any]


def telling_of_span(
    facts: RunFacts, cleaner: Cleaner, by: str, *, role: Role, parent_id: str, started_at: datetime, span_id: str
) -> Telling | None:
    """What a span tells; `by` names the instrumentation that made it. None: nothing."""
    is_agent = role in _AGENTS
    place = _ROOT if not parent_id else _AGENT if is_agent else _OTHER
    # An application's own span above the agent is normal: what made the agent's spans is what the run comes from.
    source = (_AGENT if is_agent else _OTHER if role in (Role.MODEL, Role.TOOL) else _LOG, by)
    return _telling(facts, cleaner, [place, iso(started_at), span_id], [source[0], iso(started_at), span_id], source[1])


def telling_of_log(facts: RunFacts, cleaner: Cleaner, *, at: datetime, event_id: str) -> Telling | None:
    """What a log record tells: it is believed after all spans. None: nothing."""
    return _telling(facts, cleaner, [_LOG, iso(at), event_id], [], "")


def _telling(facts: RunFacts, cleaner: Cleaner, rank: Rank, by_rank: Rank, by: str) -> Telling | None:
    told = {
        "request_id": facts.request_id if is_request_id(cleaner.label(facts.request_id, "request_id")) else "",
        "session_id": cleaner.label(facts.session_id, "session_id")[:_LABEL],
        "user": cleaner.label(facts.user, "user")[:_LABEL],
        "query": cleaner.prose(facts.query, "query"),
    }
    said = {fact: (rank, value) for fact, value in told.items() if value}
    resource = facts.resource_request_id
    if "request_id" not in said and is_request_id(cleaner.label(resource, "request_id")):
        said["request_id"] = ([_RESOURCE, *rank[1:]], resource)
    if by:
        said["by"] = (by_rank, cleaner.label(by, "scope")[:_LABEL])
    return Telling(said, cleaner.cut) if said else None


def fold_facts(run: Run, telling: Telling) -> bool:
    """Take over what nobody who is believed more has told. False if that is nothing."""
    source: dict[str, Any] = run.source or {}
    ranks: dict[str, Rank] = dict(source.get("ranks", {}))
    has_changed = False
    for fact, (rank, value) in telling.facts.items():
        column = _COLUMNS.get(fact)
        held = source.get(fact, "") if column is None else getattr(run, column)
        if fact in ranks and (ranks[fact] < rank or (ranks[fact] == rank and held >= value)):
            continue
        ranks[fact], has_changed = rank, True
        if column is None:
            source = {**source, fact: value}
        else:
            setattr(run, column, value)
        if fact == "query":
            run.cut = {place: cut for place, cut in run.cut.items() if place != "query"} | dict(telling.cut)
    run.source = {**source, "ranks": ranks}
    return has_changed


def name_run(run: Run, tops: Iterable[Row]) -> None:
    """Call the run after its outermost agent or workflow, the first of several."""
    first = min(tops, key=lambda row: (row["started_at"], row["span_id"]), default=None)
    name = "" if first is None else first["agent"] or first["name"]
    run.source = {**(run.source or {}), "name": name}
