"""Which run an action belongs to: named when it is asked, or found when the run arrives after its question."""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from approvals.models import Action, ActionStatus
from approvals.services.ending import in_words
from approvals.services.telling import tell
from approvals.submission import ConsoleFields
from runs.models import AgentInstance, Run
from runs.services.waits import begin_wait, end_wait

_LOOK_BACK = timedelta(days=7)
# Without a run, and naming one. The partial index `action_unlinked` has the same condition.
_IS_UNLINKED = Q(run=None) & (~Q(request_id="") | ~Q(trace_id="") | Q(run_id_claimed__isnull=False))


def run_of(fields: ConsoleFields, instance: AgentInstance) -> Run | None:
    """The run of the instance's own agent that a request names, by its id, request id or trace. One query at most."""
    named = Q()
    if fields.run_id is not None:
        named |= Q(id=fields.run_id)
    if fields.request_id:
        named |= Q(request_id=fields.request_id)
    if fields.trace_id:
        named |= Q(trace_id=fields.trace_id)
    if not named:
        return None
    # Another agent's run is not this agent's to put waits into, whatever it claims.
    return Run.objects.filter(named, agent_id=instance.agent_id).order_by("-started_at").first()


def wait_in_run(action: Action, run: Run) -> None:
    """Draw the action into the run's timeline as a wait, and its end too if it has one."""
    begin_wait(run=run, action_id=action.id, name=f"approval: {title_of(action)}", at=action.created_at)
    if action.decided_at is not None:
        outcome = "ok" if action.status == ActionStatus.APPROVED else "rejected"
        end_wait(run_id=run.id, action_id=action.id, at=action.decided_at, outcome=outcome, message=in_words(action))


def title_of(action: Action) -> str:
    """The action in a few words."""
    return f"{action.operation} {action.resource}".strip()[:180]


def link_runs(run_ids: Iterable[UUID]) -> None:
    """Tie actions without a run to those that just appeared. In the ingest's transaction: one cheap query when there is none to tie."""
    unlinked = Action.objects.filter(_IS_UNLINKED, created_at__gt=timezone.now() - _LOOK_BACK)
    if not unlinked.exists():
        return
    runs = list(Run.objects.filter(id__in=list(run_ids)))
    by_id = {run.id: run for run in runs}
    by_request = {run.request_id: run for run in runs if run.request_id}
    by_trace = {run.trace_id: run for run in runs if run.trace_id}
    named = Q(run_id_claimed__in=by_id) | Q(request_id__in=by_request) | Q(trace_id__in=by_trace)
    waiting = unlinked.filter(named, agent_id__in={run.agent_id for run in runs})
    for action in waiting.select_for_update(of=("self",)).order_by("id"):
        named_run = by_id.get(action.run_id_claimed) if action.run_id_claimed else None
        run = named_run or by_request.get(action.request_id) or by_trace.get(action.trace_id)
        if run is None or run.agent_id != action.agent_id:
            continue
        action.run = run
        action.save(update_fields=["run"])
        wait_in_run(action, run)
        tell(action)
