"""The Celery application: whose request a task belongs to, what runs on a schedule, and how workers log."""

import logging.config
import os
import signal
import threading
import time
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "agentconsole.settings")

from celery import Celery, Task, signals
from celery.beat import Service
from celery.exceptions import Retry
from celery.worker import state
from django.conf import settings
from django.core.checks import run_checks

from agentconsole import file_transport, metrics, redis_transport, telemetry, workers  # noqa: F401  workers listens to Celery's signals
from agentconsole.folder import FolderInUseError, hold_own_folder
from agentconsole.lifecycle import KILL_GRACE_S, end_with
from agentconsole.logconf import get_logger
from agentconsole.protocol.context import RequestContext, Transport, bound_context, current_context

log = get_logger(__name__)

CONTEXT_HEADER = "console_context"
SENT_HEADER = "console_sent_at"
SCHEDULE_POLL_S = 0.5
SCHEDULE: dict[str, dict[str, Any]] = {
    "worker beat": {"task": "agentconsole.health.tasks.beat", "schedule": 5},
    "stalled runs": {"task": "runs.tasks.sweep_stalled", "schedule": 5},
    "traced runs": {"task": "traces.tasks.sweep_settled", "schedule": 5},
    "search": {"task": "traces.tasks.sweep_search", "schedule": 5},
    "approval deadlines": {"task": "approvals.tasks.expire_actions", "schedule": 2},
    "unknown outcomes": {"task": "approvals.tasks.mark_unknown_outcomes", "schedule": 60},
    "webhooks": {"task": "approvals.tasks.deliver_due_notifications", "schedule": 5},
    "provisioning results": {"task": "approvals.tasks.forget_provisioning", "schedule": 3600},
    "retention": {"task": "runs.tasks.sweep_retention", "schedule": 3600},
    "partitions": {"task": "runs.tasks.sweep_partitions", "schedule": 3600},
}
if settings.DOCTOR_ENABLED:
    SCHEDULE["doctor"] = {"task": "runs.tasks.run_doctor", "schedule": settings.DOCTOR_EVERY_S}
for _entry in SCHEDULE.values():
    # A worker that was away finds the last one of each, not a heap of them.
    _entry["options"] = {"expires": max(_entry["schedule"], 30), "retry_policy": {"max_retries": 1}}
# What runs every few seconds says so at debug level only, or it would drown the rest.
_ROUTINE = frozenset(entry["task"] for entry in SCHEDULE.values() if entry["schedule"] < 60)  # noqa: PLR2004


class ConsoleTask(Task[..., Any]):
    """A task that runs inside the context of the request that asked for it, and says when it begins and ends."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the task. A retry is published inside the same context, so it keeps it."""
        if self.request.called_directly:
            return super().__call__(*args, **kwargs)
        level = logging.DEBUG if self.name in _ROUTINE else logging.INFO
        with self._traced(_carried(self.request.get(CONTEXT_HEADER))) as context, bound_context(context):
            names = {"task": self.name, "task_id": self.request.id}
            log.log(level, "TASK_STARTED", **names, attempt=self.request.retries + 1)
            self._observe_wait()
            started = time.perf_counter()
            try:
                result = super().__call__(*args, **kwargs)
            except Retry:
                metrics.observe_task(self.name, "retried", time.perf_counter() - started)
                raise
            except Exception:
                metrics.observe_task(self.name, "failed", time.perf_counter() - started)
                log.exception("TASK_FAILED", **names, duration_ms=_ms_since(started))
                raise
            metrics.observe_task(self.name, "ok", time.perf_counter() - started)
            log.log(level, "TASK_FINISHED", **names, duration_ms=_ms_since(started))
            return result

    def _traced(self, context: RequestContext) -> AbstractContextManager[RequestContext]:
        begins = context.transport is Transport.SCHEDULE and self.name not in _ROUTINE
        return telemetry.task_span(
            context,
            task=self.name,
            task_id=str(self.request.id),
            traceparent=self.request.get("traceparent"),
            begins=begins,
            expected=(Retry,),
        )

    def _observe_wait(self) -> None:
        """How long the task waited for a worker; one that was to wait (a retry) tells nothing of that."""
        sent_at = self.request.get(SENT_HEADER)
        if isinstance(sent_at, float) and not self.request.eta:
            metrics.TASK_WAIT.labels(self.name).observe(max(0.0, time.time() - sent_at))


def _ms_since(started: float) -> int:
    return round((time.perf_counter() - started) * 1000)


def _carried(fields: object) -> RequestContext:
    try:
        return RequestContext.from_message(fields) if isinstance(fields, dict) else RequestContext.mint(Transport.CLI)
    except (KeyError, ValueError):
        return RequestContext.mint(Transport.CLI)


def _make_queue_folders() -> None:
    for name in ("data_folder_in", "control_folder"):
        folder = settings.CELERY_BROKER_TRANSPORT_OPTIONS.get(name)
        if folder:
            with suppress(OSError):  # the check console.E005 says what to do
                Path(folder).mkdir(parents=True, exist_ok=True)


_make_queue_folders()
file_transport.use()
redis_transport.use()
app: Celery[Task[Any, Any]] = Celery("agentconsole", task_cls="agentconsole.celery:ConsoleTask")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.beat_schedule = SCHEDULE
# Beat sleeps this long at most, and looks only then whether it should stop.
app.conf.beat_max_loop_interval = 1
app.conf.beat_scheduler = "agentconsole.schedule.scheduler:ConsoleScheduler"
app.autodiscover_tasks(["agentconsole.health", "runs", "traces", "approvals"])


@signals.before_task_publish.connect
def _write_context(headers: dict[str, Any], **kwargs: Any) -> None:
    context = current_context() or RequestContext.mint(Transport.CLI)
    headers[CONTEXT_HEADER] = context.to_message()
    headers[SENT_HEADER] = time.time()
    headers.update(telemetry.carried())


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
@signals.beat_init.connect
def _hold_folder(**kwargs: Any) -> None:
    """No restore goes on while a worker or a beat runs."""
    try:
        hold_own_folder()
    except FolderInUseError as error:
        raise SystemExit(error.message) from error


@signals.celeryd_init.connect
def _follow_supervisor(**kwargs: Any) -> None:
    supervisor_pid = os.environ.get("CONSOLE_SUPERVISOR_PID")
    if supervisor_pid:
        end_with(int(supervisor_pid), within_s=settings.WORKER_DRAIN_S + KILL_GRACE_S)


@signals.beat_embedded_init.connect
def _follow_worker(sender: Service, **kwargs: Any) -> None:
    """Beside its worker a beat would be cut off by SIGTERM, and the next one would have to wait until its lead has run out."""
    end_with(os.getppid())
    signal.signal(signal.SIGTERM, lambda *_: sender.stop())


@signals.worker_process_init.connect
@signals.worker_ready.connect
@signals.beat_init.connect
@signals.beat_embedded_init.connect
def _begin_telemetry(**kwargs: Any) -> None:
    """In each process once it is the one that works: a worker's pool has forked by the time that the worker is ready."""
    telemetry.start()


@signals.worker_process_shutdown.connect
def _end_telemetry(**kwargs: Any) -> None:
    telemetry.stop()


@signals.worker_ready.connect
def _follow_schedule(sender: Any, **kwargs: Any) -> None:
    """A worker ends with the schedule beside it, and its supervisor starts both again: Celery itself does not look whether it lives."""
    beat = getattr(sender.controller, "beat", None)
    if beat is not None:
        threading.Thread(target=_watch_schedule, args=(beat,), name="schedule watch", daemon=True).start()


def _watch_schedule(beat: Any) -> None:
    while beat.is_alive():
        time.sleep(SCHEDULE_POLL_S)
    if state.should_stop in (None, False):
        log.error("SCHEDULE_ENDED", pid=beat.pid)
        os.kill(os.getpid(), signal.SIGTERM)
