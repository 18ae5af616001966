"""What runs in the background: the sweeps and the bundled agent."""

from typing import Any

from celery import Task, shared_task, signals

from agentconsole import metrics
from agentconsole.errors import UnauthorizedError
from agentconsole.jobs import enqueue_on_commit
from agentconsole.logconf import get_logger
from agentconsole.protocol.context import Transport, current_context
from runs.doctor.launch import stop_running
from runs.services import doctor, sweeps
from runs.services.ledger import forget_refused
from runs.services.partitions import make_partitions

log = get_logger(__name__)

# Who asked waits for their turn, longer than a dead run holds its place; who is not served by then asks again.
TURN_EVERY_S = 3
TURNS = 30


@signals.worker_shutting_down.connect
def _stop_doctor(**kwargs: Any) -> None:
    """A worker that ends doesn't wait for a whole examination; its run is told as cancelled."""
    stop_running()


@shared_task
def sweep_stalled() -> None:
    """Mark the runs that gave no sign of life within their lease."""
    metrics.SWEPT.labels("stalled_runs").inc(sweeps.stall_silent_runs())


@shared_task
def sweep_retention() -> None:
    """Delete the runs past their retention; what one task does not get through, the next one does, at once."""
    pruned = sweeps.prune_expired_runs()
    metrics.SWEPT.labels("pruned_runs").inc(pruned.runs)
    metrics.SWEPT.labels("dropped_months").inc(pruned.months)
    metrics.SWEPT.labels("forgotten_refusals").inc(forget_refused())
    if not pruned.is_done:
        enqueue_on_commit(sweep_retention)


@shared_task
def sweep_partitions() -> None:
    """Make the partitions of the log that the coming months need (PostgreSQL)."""
    metrics.SWEPT.labels("partitions_made").inc(make_partitions())


@shared_task(bind=True, max_retries=TURNS, expires=TURN_EVERY_S * TURNS)
def run_doctor(self: Task[..., Any], asked_by: str = "") -> None:
    """Have the bundled agent examine the console. One that beat sent gives way to a run that is under way."""
    try:
        doctor.examine_console(asked_by=asked_by)
    except doctor.DoctorBusyError as busy:
        context = current_context()
        is_scheduled = context is not None and context.transport is Transport.SCHEDULE
        if not is_scheduled and self.request.retries < TURNS:
            log.info("DOCTOR_WAITING", again_in_s=TURN_EVERY_S)
            raise self.retry(countdown=TURN_EVERY_S, exc=busy) from busy
        log.info("DOCTOR_SKIPPED", reason=busy.code)
    except (doctor.NoDoctorError, UnauthorizedError) as error:
        log.warning("DOCTOR_SKIPPED", reason=error.code, hint=str(error))
