"""Log records that carry no trace: they belong to the run of their request or session, if there is one."""

from uuid import UUID

from runs.ingest.errors import ItemError
from runs.models import AgentInstance, Run
from traces.mapping.account import LogAccount


class NoRunError(ItemError):
    """A log record that names no trace, and no request or session of a run that is there."""

    code = "no_run"


def run_of_log(account: LogAccount, instance: AgentInstance) -> UUID:
    """The agent's last run of the record's request, else of its session. NoRunError. Two queries at most, by run's indexes."""
    mine = Run.objects.filter(agent_id=instance.agent_id).order_by("-started_at", "-id")
    facts = account.run
    if facts.request_id and (found := mine.filter(request_id=facts.request_id).values_list("id", flat=True).first()):
        return found
    if facts.session_id:
        recent = mine.filter(session_id=facts.session_id, started_at__lte=account.at)
        if found := recent.values_list("id", flat=True).first():
            return found
    raise NoRunError(
        "A record without a trace id belongs to the run of its request.id or session.id, and there is none."
    )
