"""The native door: bytes in, rows out, one answer that names each item that was refused."""

import time
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from typing_extensions import TypedDict

from agentconsole import metrics
from agentconsole.protocol.redaction import scrub_text
from runs.ingest.applied import in_turn
from runs.ingest.apply import apply_batch
from runs.ingest.beat import record_beats
from runs.ingest.body import Batch, read_batch
from runs.ingest.door import reading
from runs.ingest.errors import BusyError, ItemError, Rejection
from runs.ingest.fold import skew_of
from runs.ingest.sorting import sort_items
from runs.ingest.startup import record_startup
from runs.ingest.telling import count_items, log_answer
from runs.ingest.wire import read_time
from runs.models import AgentInstance
from runs.services.findings import report_findings
from runs.services.ledger import Entry, enter_refused


class IngestAnswer(TypedDict):
    """How many items are stored, how many were there already, and which were refused and why."""

    accepted: int
    duplicates: int
    rejected: list[Rejection]


def ingest_body(body: bytes, *, content_type: str, content_encoding: str, instance: AgentInstance) -> IngestAnswer:
    """Store what is good of a request's body. When this returns it is committed.

    MalformedBodyError, UnsupportedEncodingError, BodyTooLargeError: nothing could be read, nothing was stored.
    """
    with reading(body, door="ingest", instance=instance):
        batch = read_batch(
            body,
            content_type=content_type,
            content_encoding=content_encoding,
            max_bytes=settings.INGEST_MAX_EXPANDED_BYTES,
        )
    with in_turn():
        return ingest_batch(batch, instance=instance)


def ingest_batch(batch: Batch, *, instance: AgentInstance) -> IngestAnswer:
    """Store what is good of a batch of raw items."""
    began = time.perf_counter()
    arrived = sort_items(batch.items, keeps_content=instance.agent.keeps_content)
    sent_at = read_time(batch.sent_at)
    skew_ms = skew_of(sent_at, timezone.now())
    try:
        applied = apply_batch(arrived.prepared, instance=instance, skew_ms=skew_ms, startups=arrived.startups)
    except BusyError as error:
        metrics.INGEST_REFUSED.labels(error.code).inc()
        raise
    recorded = sum(record_startup(instance, startup, summary) for startup, summary in arrived.startups)
    recorded += record_beats(instance, arrived.beats, sent_at)
    rejected = [
        _rejection(batch.items[index], index, error)
        for index, error in sorted(arrived.refused + applied.refused, key=lambda pair: pair[0])
    ]
    answer: IngestAnswer = {
        "accepted": applied.accepted + recorded,
        "duplicates": applied.duplicates + len(arrived.startups) + len(arrived.beats) - recorded,
        "rejected": rejected,
    }
    log_answer(answer["accepted"], answer["duplicates"], [one["code"] for one in rejected])
    enter_refused([*_entries(rejected), *arrived.dropped], door="ingest", instance=instance)
    report_findings(arrived.findings, door="ingest", instance=instance)
    results = {"accepted": answer["accepted"], "duplicate": answer["duplicates"], "rejected": len(rejected)}
    count_items(results, applied.tools, environment=instance.agent.environment_id, began=began)
    return answer


def _entries(rejected: list[Rejection]) -> list[Entry]:
    return [Entry(one["code"], one["message"], one["id"] or "") for one in rejected]


def _rejection(raw: Any, index: int, error: ItemError) -> Rejection:
    given = raw.get("id") if isinstance(raw, dict) else None
    shown = scrub_text(str(given)[:1000])[0] if isinstance(given, str | int | UUID) else None
    return {
        "index": index,
        "id": shown.encode("ascii", "replace").decode()[:64] if shown is not None else None,
        "code": error.code,
        "message": str(error),
    }
