"""A run's approvals as an AgentAck trace (schema 2, JSON lines), for `agentack check`.

Written from the audit chain alone, in its order: `action_executed` is the claim's entry, never the agent's word.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from agentconsole.protocol.exact_json import dump_exact
from agentconsole.protocol.fingerprint import read_envelope
from approvals.models import Action, ActionStatus, AuditEntry
from approvals.policy import Mode, Terms, without
from runs.models import Run
from runs.queries.shapes import iso

SCHEMA_VERSION = 2
# AgentAck reads parameters no deeper than this.
_DEEPEST = 18
_ENDS = {
    "APPROVAL_APPROVED": "allow",
    "APPROVAL_DENIED": "deny",
    "APPROVAL_EXPIRED": "deny",
    "APPROVAL_CANCELLED": "deny",
}
_TOLD = (*_ENDS, "APPROVAL_REQUESTED", "APPROVAL_CLAIMED")

Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Told:
    """An action with what its events have in common."""

    action: Action
    intent_id: str

    def event(self, kind: str, at: str, **fields: Any) -> Event:
        return {"type": kind, "timestamp": at, "action_id": str(self.action.id), "intent_id": self.intent_id, **fields}


def agentack_trace(run: Run) -> Iterator[str]:
    """The lines of a run's trace, each with its newline. Two queries. It has no `session_end` while the run goes on."""
    actions = list(Action.objects.filter(run=run).select_related("superseded_by").order_by("created_at", "id"))
    told = {f"action:{action.id}": _Told(action, str(root)) for action, root in _with_roots(actions)}
    entries = AuditEntry.objects.filter(object__in=list(told), token__in=_TOLD).order_by("seq")
    last_at = iso(run.ended_at) if run.ended_at else ""
    for entry in entries.iterator():
        last_at = max(last_at, entry.at) if last_at else ""
        for event in _events_of(entry, told[entry.object]):
            yield _line(run, event)
    for one in told.values():
        if run.is_ended and one.action.status == ActionStatus.APPROVED and one.action.claimed_at is None:
            reason = "superseded" if one.action.is_superseded else "approved, and never started"
            approval = {"approval_id": str(one.action.id), "reason": reason}
            yield _line(run, one.event("action_blocked", last_at, **approval))
    if run.is_ended:
        yield _line(run, {"type": "session_end", "timestamp": last_at, "reason": run.status})


def _with_roots(actions: list[Action]) -> Iterator[tuple[Action, UUID]]:
    """Each action with the first of the chain that it supersedes: one intent, asked again."""
    roots: dict[UUID, UUID] = {}
    for action in actions:
        roots[action.id] = roots.get(action.supersedes_id, action.supersedes_id) if action.supersedes_id else action.id
        yield action, roots[action.id]


def _events_of(entry: AuditEntry, told: _Told) -> Iterator[Event]:
    action, approval = told.action, {"approval_id": str(told.action.id)}
    if entry.token == "APPROVAL_REQUESTED":  # noqa: S105  a log token
        identity = _identity(action, action.envelope)
        yield told.event("action_proposed", entry.at, action=identity)
        yield told.event("approval_requested", entry.at, action=identity, **approval)
    elif entry.token == "APPROVAL_CLAIMED":  # noqa: S105  a log token
        ran = action.grant["envelope"] if action.grant else action.envelope
        yield told.event("action_executed", entry.at, action=_identity(action, ran), **approval)
    else:
        decision = _ENDS[entry.token]
        data = json.loads(entry.data)
        expiry = {"expires_at": data["expires_at"]} if decision == "allow" else {}
        yield told.event("approval_decision", entry.at, decision=decision, **approval, **expiry)
        if decision == "deny":
            yield told.event("action_blocked", entry.at, reason=data["note"] or data["status"], **approval)


def _identity(action: Action, canonical: str) -> Event:
    """The action as AgentAck compares it: without what the policy's projection lets drift."""
    envelope, terms = read_envelope(canonical.encode()), Terms.from_json(action.terms)
    arguments = without(envelope.arguments, terms.excluded) if terms.mode is Mode.COMPAT else envelope.arguments
    if _depth(arguments) > _DEEPEST:
        arguments = {"canonical": dump_exact(arguments)}
    tool = f"{envelope.server}/{envelope.tool}" if envelope.server else envelope.tool
    return {
        "tool": tool,
        "operation": envelope.operation,
        "resource": envelope.resource or None,
        "parameters": arguments,
    }


def _depth(value: Any) -> int:
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(_depth, items), default=0)


def _line(run: Run, event: Event) -> str:
    return dump_exact({"schema_version": SCHEMA_VERSION, "session_id": str(run.id), **event}) + "\n"
