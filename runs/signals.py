"""What other apps may hear of runs. Receivers are called inside the transaction that did it: what they raise undoes it."""

from django.dispatch import Signal

# run_ids: list[UUID], sender Run. Ingest made these runs, or learnt what their request or their trace is called.
runs_appeared = Signal()

# door: str, instance: AgentInstance, findings: list[Finding]; sender Finding. Secrets were taken out of what an agent sent. Sent before the
# agent is answered and after what it sent was committed, outside of any transaction: what a receiver raises makes the agent send it again.
secrets_found = Signal()

# token: str, actor: str, object_id: str, data: dict. A step that belongs in the audit chain was taken; sent in its transaction.
step_taken = Signal()
