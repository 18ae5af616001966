"""What runs in the background for traces."""

from celery import shared_task

from agentconsole import metrics
from traces.services.settling import settle_traced_runs


@shared_task
def sweep_settled() -> None:
    """End the runs that are known from their spans alone, once they are over."""
    metrics.SWEPT.labels("settled_runs").inc(settle_traced_runs())
