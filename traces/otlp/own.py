"""What a console sent: its spans and records carry the items of the native ingest, and are stored by its rules, not as a stranger's.

Whoever may send OTLP may send these items natively, with the same credential and to the same end.
"""

from dataclasses import replace

from runs.ingest import ingest_batch
from runs.ingest.applied import in_turn
from runs.ingest.body import Batch, read_line
from runs.models import AgentInstance
from traces.otlp.shapes import Export, ExportOutcome, OtlpLog, OtlpSpan, Refused
from traces.services.exports import store_export

ITEM = "agentconsole.item"


def store(export: Export, *, instance: AgentInstance) -> ExportOutcome:
    """Store what is good of an export. Committed when it returns. BusyError: send it again; what was stored of it is a duplicate then."""
    items: tuple[OtlpSpan | OtlpLog, ...] = (*export.spans, *export.logs)
    if not any(ITEM in item.attributes for item in items):
        return store_export(export, instance=instance)
    unread = {refused.index for refused in export.refused}
    placed = list(zip((place for place in range(export.count) if place not in unread), items, strict=True))
    own = [(place, item) for place, item in placed if ITEM in item.attributes]
    others = [(place, item) for place, item in placed if ITEM not in item.attributes]
    outcomes = [
        _store_items(own, instance),
        _store_others(others, instance),
        ExportOutcome(stored=0, refused=export.refused),
    ]
    return ExportOutcome(
        stored=sum(outcome.stored for outcome in outcomes),
        duplicates=sum(outcome.duplicates for outcome in outcomes),
        refused=tuple(refused for outcome in outcomes for refused in outcome.refused),
    )


Placed = list[tuple[int, OtlpSpan | OtlpLog]]


def _store_items(own: Placed, instance: AgentInstance) -> ExportOutcome:
    batch = Batch([read_line(str(item.attributes[ITEM]).encode()) for _place, item in own])
    with in_turn():
        answer = ingest_batch(batch, instance=instance)
    refused = tuple(
        Refused(own[told["index"]][0], told["code"], told["message"], own[told["index"]][1].span_id)
        for told in answer["rejected"]
    )
    return ExportOutcome(answer["accepted"], answer["duplicates"], refused)


def _store_others(others: Placed, instance: AgentInstance) -> ExportOutcome:
    if not others:
        return ExportOutcome(stored=0)
    spans = tuple(item for _place, item in others if isinstance(item, OtlpSpan))
    logs = tuple(item for _place, item in others if isinstance(item, OtlpLog))
    outcome = store_export(Export(len(others), spans, logs), instance=instance)
    return replace(outcome, refused=tuple(replace(told, index=others[told.index][0]) for told in outcome.refused))
