"""What any door says of a batch: in the log, and in the metrics."""

import time
from collections import Counter

from agentconsole import metrics
from agentconsole.logconf import get_logger

log = get_logger(__name__)


def log_answer(accepted: int, duplicates: int, rejected: list[str]) -> None:
    """Say what became of a batch, once; `rejected` are the codes of what was refused."""
    log.info("INGEST_ACCEPTED", accepted=accepted, duplicates=duplicates)
    if rejected:
        log.warning("INGEST_ITEM_REJECTED", rejected=len(rejected), first_code=rejected[0])


def count_items(results: dict[str, int], tools: Counter[tuple[str, str]], *, environment: str, began: float) -> None:
    """Count what became of a batch's items. Once a batch, never once an item: the metrics cost an ingest nothing that can be measured."""
    metrics.count_batch(environment, results, tools)
    metrics.INGEST_SECONDS.observe(time.perf_counter() - began)
