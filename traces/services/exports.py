"""An OTLP export becomes rows."""

import time
from collections.abc import Iterator, Sequence
from itertools import count, islice

from django.conf import settings

from agentconsole import metrics
from runs.ingest.applied import Applied, committed, in_turn
from runs.ingest.clean import Cleaner
from runs.ingest.errors import BusyError, ItemError
from runs.ingest.telling import count_items, log_answer
from runs.models import AgentInstance
from runs.services.ledger import Entry, enter_refused
from traces.mapping.logs import map_log
from traces.mapping.spans import map_span
from traces.otlp.shapes import Export, ExportOutcome, OtlpLog, OtlpSpan, Refused
from traces.services.facts import telling_of_log, telling_of_span
from traces.services.findings import Leak, report_leaks
from traces.services.rows import event_row, span_row
from traces.services.traceless import run_of_log
from traces.services.writer import Told, TraceWriter

_ENTRIES = (2, 5)  # a server's, a consumer's


def store_export(export: Export, *, instance: AgentInstance) -> ExportOutcome:
    """Store what is good of an export. Committed when it returns. BusyError: nothing is stored, send it again."""
    began = time.perf_counter()
    with in_turn():
        told, refused, leaks = _told(export, instance)
        try:
            applied = committed(lambda: TraceWriter(instance, skew_ms=0).write(told))
        except BusyError as error:
            metrics.INGEST_REFUSED.labels(error.code).inc()
            raise
    outcome = ExportOutcome(
        stored=applied.accepted,
        duplicates=applied.duplicates,
        refused=(*export.refused, *_refusals(export, [*refused, *applied.refused])),
    )
    log_answer(outcome.stored, outcome.duplicates, [one.code for one in outcome.refused])
    refusals = [Entry(one.code, one.message, one.span_id) for one in outcome.refused]
    enter_refused(refusals, door="otlp", instance=instance)
    report_leaks(leaks, instance)
    _count(outcome, applied, instance, began)
    return outcome


def _told(export: Export, instance: AgentInstance) -> tuple[list[Told], list[tuple[int, ItemError]], list[Leak]]:
    told: list[Told] = []
    refused: list[tuple[int, ItemError]] = []
    leaks: list[Leak] = []
    for place, item in enumerate(_items(export)):
        cleaner = Cleaner(instance.agent.keeps_content)
        try:
            told.append(
                _told_span(place, item, cleaner)
                if isinstance(item, OtlpSpan)
                else _told_log(place, item, cleaner, instance)
            )
        except ItemError as error:
            refused.append((place, error))
        if cleaner.hits:
            row = told[-1].row if told and told[-1].place == place else None
            leaks.append(Leak(item, row, cleaner.hits))
    return told, refused, leaks


def _items(export: Export) -> Sequence[OtlpSpan | OtlpLog]:
    return (*export.spans, *export.logs)


def _told_span(place: int, span: OtlpSpan, cleaner: Cleaner) -> Told:
    account = map_span(span)
    telling = telling_of_span(
        account.run,
        cleaner.again(),
        f"{span.scope.name} {span.scope.version}".strip(),
        role=account.role,
        parent_id=account.parent_id,
        started_at=account.started_at,
        span_id=account.span_id,
    )
    row = span_row(account, cleaner, soft_ms=settings.OTLP_SOFT_MS or None, is_entry=span.kind in _ENTRIES)
    return Told(place, account.trace_id, account.started_at, row, telling)


def _told_log(place: int, record: OtlpLog, cleaner: Cleaner, instance: AgentInstance) -> Told:
    account = map_log(record)
    row = event_row(account, cleaner)
    telling = telling_of_log(account.run, cleaner.again(), at=account.at, event_id=str(row["id"]))
    run_id = None if account.trace_id else run_of_log(account, instance)
    return Told(place, account.trace_id, account.at, row, telling, run_id)


def _refusals(export: Export, refused: Sequence[tuple[int, ItemError]]) -> Iterator[Refused]:
    """Named by their places in the whole export, in which those that could not be read have theirs."""
    if not refused:
        return
    unread = {one.index for one in export.refused}
    items = _items(export)
    places = list(islice((place for place in count() if place not in unread), len(items)))
    for place, error in refused:
        yield Refused(places[place], error.code, str(error), items[place].span_id)


def _count(outcome: ExportOutcome, applied: Applied, instance: AgentInstance, began: float) -> None:
    results = {"accepted": outcome.stored, "duplicate": outcome.duplicates, "rejected": len(outcome.refused)}
    count_items(results, applied.tools, environment=instance.agent.environment_id, began=began)
