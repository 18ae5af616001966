"""The only place that hands tasks to Celery."""

from typing import Any

from celery import Task
from django.db import transaction
from kombu.exceptions import KombuError

from agentconsole.logconf import get_logger

log = get_logger(__name__)

# A writer waits for a broken broker this long at most; the sweeps make up for what it could not hand over.
_RETRY = {"max_retries": 1, "interval_start": 0.1, "timeout": 2}


def enqueue_on_commit(task: Task[..., Any], **kwargs: Any) -> None:
    """Run `task` with JSON `kwargs` in a worker, once the surrounding transaction is committed (now, without one).

    The current request's context goes along. A broker that can't be reached is logged and never raised: the caller's
    rows are the truth, and every task can be made again from them.
    """
    transaction.on_commit(lambda: _enqueue(task, kwargs))


def _enqueue(task: Task[..., Any], kwargs: dict[str, Any]) -> None:
    try:
        sent = task.apply_async(kwargs=kwargs, retry=True, retry_policy=_RETRY)
    except (KombuError, OSError) as error:
        log.error("TASK_ENQUEUE_FAILED", task=task.name, error=str(error))  # noqa: TRY400  the broker's traceback says no more
        return
    log.info("TASK_ENQUEUED", task=task.name, task_id=sent.id)
