"""Tasks for the tests of tasks: what they saw is in `seen`."""

import queue
from typing import Any

from celery import Task, shared_task

from agentconsole.protocol.context import RequestContext, current_context

seen: queue.Queue[RequestContext | None] = queue.Queue()


@shared_task
def look() -> None:
    """Put the context on the list."""
    seen.put(current_context())


@shared_task(bind=True, max_retries=1)
def look_twice(self: Task[..., Any]) -> None:
    """Fail the first time, to be tried again."""
    seen.put(current_context())
    if not self.request.retries:
        raise self.retry(countdown=0)


@shared_task
def stumble() -> None:
    """Break."""
    seen.put(current_context())
    raise ZeroDivisionError("a bug")
