"""Log records that carry no trace: they belong to the run of their request or session, if there is one."""

from uuid import UUID

from runs.ingest.errors import ItemError
from runs.models import AgentInstance, Run
from traces.mapping.account import LogAccount

RECENT = 200


class NoRunError(ItemError):
    """A log record that names no trace, and no request or session of a run that is there."""

    code = "no_run"


def run_of_log(account: LogAccount, instance: AgentInstance) -> UUID:
    """The agent's last run of the record's request, else, of the RECENT ones before it, of its session. NoRunError.

    Two queries at most, each bounded: by the index of request ids, and by the agent's runs, newest first.
    """
    facts = account.run
    if facts.request_id:
        same = Run.objects.filter(request_id=facts.request_id).values_list("agent_id", "started_at", "id")[:RECENT]
        if mine := [row for row in same if row[0] == instance.agent_id]:
            return max(mine)[2]
    if facts.session_id:
        before = Run.objects.filter(agent_id=instance.agent_id, started_at__lte=account.at)
        recent = before.order_by("-started_at", "-id").values_list("session_id", "id")[:RECENT]
        if found := next((run_id for session_id, run_id in recent if session_id == facts.session_id), None):
            return found
    raise NoRunError(
        "A record without a trace id belongs to the run of its request.id or session.id, and there is none."
    )
