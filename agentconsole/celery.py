"""The Celery application: whose request a task belongs to, what runs on a schedule, and how workers log."""

import logging.config
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "agentconsole.settings")

from celery import Celery, Task, signals
from celery.beat import PersistentScheduler, ScheduleEntry
from celery.exceptions import Retry
from django.conf import settings
from django.core.checks import run_checks
from django.db import Error as DatabaseError
from django.db import close_old_connections

from agentconsole.lifecycle import end_with
from agentconsole.logconf import get_logger
from agentconsole.protocol.context import RequestContext, Transport, bound_context, current_context

log = get_logger(__name__)

CONTEXT_HEADER = "console_context"
BEAT_EVERY_S = 5

SCHEDULE: dict[str, dict[str, Any]] = {
    "worker beat": {"task": "agentconsole.health.tasks.beat", "schedule": BEAT_EVERY_S},
    "stalled runs": {"task": "runs.tasks.sweep_stalled", "schedule": 5},
    "retention": {"task": "runs.tasks.sweep_retention", "schedule": 3600},
}
if settings.DOCTOR_ENABLED:
    SCHEDULE["doctor"] = {"task": "runs.tasks.run_doctor", "schedule": settings.DOCTOR_EVERY_S}
for _entry in SCHEDULE.values():
    # A worker that was away finds the last one of each, not a heap of them.
    _entry["options"] = {"expires": max(_entry["schedule"], 30)}
# What runs every few seconds says so at debug level only, or it would drown the rest.
_ROUTINE = frozenset(entry["task"] for entry in SCHEDULE.values() if entry["schedule"] < 60)  # noqa: PLR2004


class ConsoleTask(Task[..., Any]):
    """A task that runs inside the context of the request that asked for it, and says when it begins and ends."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the task. A retry is published inside the same context, so it keeps it."""
        if self.request.called_directly:
            return super().__call__(*args, **kwargs)
        level = logging.DEBUG if self.name in _ROUTINE else logging.INFO
        with bound_context(_carried(self.request.get(CONTEXT_HEADER))):
            names = {"task": self.name, "task_id": self.request.id}
            log.log(level, "TASK_STARTED", **names, attempt=self.request.retries + 1)
            started = time.perf_counter()
            try:
                result = super().__call__(*args, **kwargs)
            except Retry:
                raise
            except Exception:
                log.exception("TASK_FAILED", **names, duration_ms=_ms_since(started))
                raise
            log.log(level, "TASK_FINISHED", **names, duration_ms=_ms_since(started))
            return result


def _ms_since(started: float) -> int:
    return round((time.perf_counter() - started) * 1000)


def _carried(fields: object) -> RequestContext:
    try:
        return RequestContext.from_message(fields) if isinstance(fields, dict) else RequestContext.mint(Transport.CLI)
    except (KeyError, ValueError):
        return RequestContext.mint(Transport.CLI)


class ConsoleScheduler(PersistentScheduler):
    """Beat: each task that it sends is a request of its own, and each round of its loop is a sign of life."""

    _beat_due = 0.0

    def apply_async(self, entry: ScheduleEntry, *args: Any, **kwargs: Any) -> Any:
        """Send a due task inside a context minted for it."""
        with bound_context(RequestContext.mint(Transport.SCHEDULE, actor="beat")):
            return super().apply_async(entry, *args, **kwargs)

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """One round: send what is due, then leave a beat. A database that is away must not stop the schedule."""
        wait_s: float = super().tick(*args, **kwargs)
        if time.monotonic() >= self._beat_due:
            from agentconsole.services import record_beat

            self._beat_due = time.monotonic() + BEAT_EVERY_S
            close_old_connections()
            try:
                record_beat("beat")
            except DatabaseError as error:
                log.warning("BEAT_NOT_RECORDED", component="beat", error=str(error))
        return wait_s


def _make_queue_folders() -> None:
    for name in ("data_folder_in", "control_folder"):
        folder = settings.CELERY_BROKER_TRANSPORT_OPTIONS.get(name)
        if folder:
            with suppress(OSError):  # the check console.E005 says what to do
                Path(folder).mkdir(parents=True, exist_ok=True)


_make_queue_folders()
app: Celery[Task[Any, Any]] = Celery("agentconsole", task_cls="agentconsole.celery:ConsoleTask")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.beat_schedule = SCHEDULE
# Beat sleeps this long at most, and looks only then whether it should stop.
app.conf.beat_max_loop_interval = 1
app.conf.beat_scheduler = "agentconsole.celery:ConsoleScheduler"
app.autodiscover_tasks(["agentconsole.health", "runs", "traces", "approvals"])


@signals.before_task_publish.connect
def _write_context(headers: dict[str, Any], **kwargs: Any) -> None:
    context = current_context() or RequestContext.mint(Transport.CLI)
    headers[CONTEXT_HEADER] = context.to_message()


@signals.setup_logging.connect
def _set_up_logging(**kwargs: Any) -> None:
    logging.config.dictConfig(settings.LOGGING)
    logging.getLogger("celery.beat").setLevel(logging.WARNING)
    # TASK_STARTED, TASK_FINISHED and TASK_FAILED say the same with the request's id.
    logging.getLogger("celery.worker.strategy").setLevel(logging.WARNING)
    logging.getLogger("celery.app.trace").setLevel(logging.CRITICAL)


@signals.import_modules.connect(sender=app)
def _refuse_what_cannot_work(**kwargs: Any) -> None:
    """Workers and beat stop at the same checks as `serve`."""
    errors = [str(message) for message in run_checks() if message.is_serious()]
    if errors:
        raise SystemExit("\n".join(errors))


@signals.celeryd_init.connect
def _follow_supervisor(**kwargs: Any) -> None:
    supervisor_pid = os.environ.get("CONSOLE_SUPERVISOR_PID")
    if supervisor_pid:
        end_with(int(supervisor_pid))


@signals.beat_embedded_init.connect
def _follow_worker(**kwargs: Any) -> None:
    end_with(os.getppid())
