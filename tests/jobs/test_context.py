"""A worker runs a task inside the context that came with it, and says when it began and ended."""

from collections.abc import Callable
from typing import Any

import pytest

from agentconsole.celery import SCHEDULE, app
from agentconsole.jobs import enqueue_on_commit
from agentconsole.protocol.context import RequestContext, Transport, bound_context
from agentconsole.schedule.scheduler import ConsoleScheduler
from tests.jobs import tasks
from tests.processes.running import wait_for

Lines = Callable[[str], list[dict[str, Any]]]
WITHIN_S = 10
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _seen_nothing() -> None:
    while not tasks.seen.empty():
        tasks.seen.get()


@pytest.fixture
def asker() -> RequestContext:
    """A person's request."""
    return RequestContext.mint(Transport.WEB).with_actor("user:vera", environment="prod")


def test_a_task_runs_in_its_askers_context(worker: None, asker: RequestContext):
    with bound_context(asker):
        enqueue_on_commit(tasks.look)
    assert tasks.seen.get(timeout=WITHIN_S) == asker


def test_a_retry_keeps_the_context(worker: None, asker: RequestContext):
    with bound_context(asker):
        enqueue_on_commit(tasks.look_twice)
    assert [tasks.seen.get(timeout=WITHIN_S) for _ in range(2)] == [asker, asker]


def test_a_task_that_nobody_asked_for_gets_a_context_of_its_own(worker: None):
    enqueue_on_commit(tasks.look)
    enqueue_on_commit(tasks.look)
    first, second = (tasks.seen.get(timeout=WITHIN_S) for _ in range(2))
    assert first
    assert second
    assert first.request_id != second.request_id


def test_beat_mints_a_context_for_each_task_that_it_sends(worker: None):
    scheduler = ConsoleScheduler(app=app, lazy=True)
    for _ in range(2):
        scheduler.apply_async(scheduler.Entry(name="look", task=tasks.look.name, app=app), advance=False)
    found = [tasks.seen.get(timeout=WITHIN_S) for _ in range(2)]
    assert [context and context.transport for context in found] == [Transport.SCHEDULE] * 2
    assert len({context and context.request_id for context in found}) == 2


def test_start_and_end_are_logged_under_the_request(worker: None, asker: RequestContext, logged: Lines):
    with bound_context(asker):
        enqueue_on_commit(tasks.look)
    (finished,) = wait_for("the task has ended", lambda: logged("TASK_FINISHED"))
    assert finished["task"] == tasks.look.name
    assert finished["duration_ms"] >= 0
    assert logged("TASK_STARTED")[0]["request_id"] == finished["request_id"] == asker.request_id


def test_a_task_that_breaks_is_logged_under_the_request(worker: None, asker: RequestContext, logged: Lines):
    with bound_context(asker):
        enqueue_on_commit(tasks.stumble)
    (failed,) = wait_for("the task has broken", lambda: logged("TASK_FAILED"))
    assert (failed["task"], failed["request_id"]) == (tasks.stumble.name, asker.request_id)
    assert logged("TASK_FINISHED") == []


def test_every_scheduled_task_exists():
    app.loader.import_default_modules()
    assert {entry["task"] for entry in SCHEDULE.values()} <= set(app.tasks)
