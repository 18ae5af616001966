"""What runs in the background for traces."""

from celery import shared_task

from agentconsole import metrics
from traces.services.indexing import forget_pruned, index_log
from traces.services.settling import settle_traced_runs


@shared_task
def sweep_settled() -> None:
    """End the runs that are known from their spans alone, once they are over."""
    metrics.SWEPT.labels("settled_runs").inc(settle_traced_runs())


@shared_task
def sweep_search() -> None:
    """Index what is new in the log, and forget what retention has deleted."""
    metrics.SWEPT.labels("indexed_rows").inc(index_log())
    metrics.SWEPT.labels("forgotten_rows").inc(forget_pruned())
