"""The native door: bytes in, rows out, one answer that names each item that was refused."""

import time
from collections import Counter
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from typing_extensions import TypedDict

from agentconsole import metrics
from agentconsole.logconf import get_logger
from agentconsole.protocol.redaction import Hit
from runs.ingest.applied import in_turn
from runs.ingest.apply import Prepared, apply_batch, prepare
from runs.ingest.beat import CleanBeat, clean_beat, record_beats
from runs.ingest.body import Batch, read_batch
from runs.ingest.door import reading
from runs.ingest.errors import BusyError, ItemError, Rejection
from runs.ingest.fold import skew_of
from runs.ingest.startup import Recorded, record_startup, startup_summary
from runs.ingest.wire import Beat, Startup, read_item, read_time
from runs.models import AgentInstance

log = get_logger(__name__)


class IngestAnswer(TypedDict):
    """How many items are stored, how many were there already, and which were refused and why."""

    accepted: int
    duplicates: int
    rejected: list[Rejection]


def ingest_body(body: bytes, *, content_type: str, content_encoding: str, instance: AgentInstance) -> IngestAnswer:
    """Store what is good of a request's body. When this returns it is committed.

    MalformedBodyError, UnsupportedEncodingError, BodyTooLargeError: nothing could be read, nothing was stored.
    """
    with reading(body):
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
    prepared: list[Prepared] = []
    startups: list[Recorded] = []
    beats: list[CleanBeat] = []
    refused: list[tuple[int, ItemError]] = []
    hits: list[Hit] = []
    for index, raw in enumerate(batch.items):
        try:
            item = read_item(raw)
            if isinstance(item, Startup):
                startups.append((item, startup_summary(item)))
                continue
            if isinstance(item, Beat):
                beat, found = clean_beat(item)
                beats.append(beat)
                hits.extend(found)
                continue
            one, found = prepare(index, item)
        except ItemError as error:
            refused.append((index, error))
            continue
        prepared.append(one)
        hits.extend(found)
    sent_at = read_time(batch.sent_at)
    skew_ms = skew_of(sent_at, timezone.now())
    try:
        applied = apply_batch(prepared, instance=instance, skew_ms=skew_ms, startups=startups)
    except BusyError as error:
        metrics.INGEST_REFUSED.labels(error.code).inc()
        raise
    recorded = sum(record_startup(instance, startup, summary) for startup, summary in startups)
    recorded += record_beats(instance, beats, sent_at)
    rejected = [
        _rejection(batch.items[index], index, error)
        for index, error in sorted(refused + applied.refused, key=lambda pair: pair[0])
    ]
    answer: IngestAnswer = {
        "accepted": applied.accepted + recorded,
        "duplicates": applied.duplicates + len(startups) + len(beats) - recorded,
        "rejected": rejected,
    }
    log_answer(answer["accepted"], answer["duplicates"], [one["code"] for one in rejected])
    log_hits(hits)
    results = {
        "accepted": answer["accepted"],
        "duplicate": answer["duplicates"],
        "rejected": len(answer["rejected"]),
    }
    count_items(results, applied.tools, environment=instance.agent.environment_id, began=began)
    return answer


def _rejection(raw: Any, index: int, error: ItemError) -> Rejection:
    given = raw.get("id") if isinstance(raw, dict) else None
    shown = str(given) if isinstance(given, str | int | UUID) else None
    return {
        "index": index,
        "id": shown.encode("ascii", "replace").decode()[:64] if shown is not None else None,
        "code": error.code,
        "message": str(error),
    }


def log_answer(accepted: int, duplicates: int, rejected: list[str]) -> None:
    """Say what became of a batch, once; `rejected` are the codes of what was refused."""
    log.info("INGEST_ACCEPTED", accepted=accepted, duplicates=duplicates)
    if rejected:
        log.warning("INGEST_ITEM_REJECTED", rejected=len(rejected), first_code=rejected[0])


def log_hits(hits: list[Hit]) -> None:
    """Say what of a batch was a secret, never the secret: any door calls it, once a batch."""
    for hit in {(hit.detector, hit.place) for hit in hits}:
        log.warning("SECRET_LEAK_BLOCKED", detector=hit[0], place=hit[1])


def count_items(results: dict[str, int], tools: Counter[tuple[str, str]], *, environment: str, began: float) -> None:
    """Count what became of a batch's items. Once a batch, never once an item: the metrics cost an ingest nothing that can be measured."""
    metrics.count_batch(environment, results, tools)
    metrics.INGEST_SECONDS.observe(time.perf_counter() - began)
