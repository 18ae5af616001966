"""The only place that hands tasks to Celery."""

import uuid
from typing import Any

from celery import Task
from django.db import transaction

from agentconsole import metrics
from agentconsole.faults import fault_words
from agentconsole.logconf import get_logger

log = get_logger(__name__)

# A writer does not wait for a broken broker: the sweeps make up for what it could not hand over.
_RETRY = {"max_retries": 1, "interval_start": 0.1}


def enqueue_on_commit(task: Task[..., Any], **kwargs: Any) -> None:
    """Run `task` with JSON `kwargs` in a worker, once the surrounding transaction is committed (now, without one).

    The current request's context goes along. A broker that can't be reached is logged and never raised: the caller's
    rows are the truth, and every task can be made again from them.
    """
    transaction.on_commit(lambda: _enqueue(task, kwargs))


def _enqueue(task: Task[..., Any], kwargs: dict[str, Any]) -> None:
    task_id = str(uuid.uuid4())
    # Before it is sent: a worker may begin it before the broker has answered, and logs tell a story in its order.
    log.info("TASK_ENQUEUED", task=task.name, task_id=task_id)
    try:
        task.apply_async(kwargs=kwargs, task_id=task_id, retry=True, retry_policy=_RETRY)
    except Exception as error:  # noqa: BLE001  the edge to another service: any failure of it means the same
        metrics.TASKS_NOT_SENT.labels(task.name).inc()
        log.warning("TASK_ENQUEUE_FAILED", task=task.name, error=fault_words(error))
