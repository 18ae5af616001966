"""The request object of AAP, as text: what the agent sent goes back to it letter for letter."""

from typing import Any

from agentconsole.protocol.exact_json import dump_exact
from approvals.models import Action, OutcomeStatus
from approvals.services.claiming import Claim
from runs.queries.shapes import iso


class _Raw(str):
    """JSON text that goes into the answer as it is."""

    __slots__ = ()


def action_text(action: Action) -> str:
    """The answer about an action, as JSON text. A strict client takes it: what was not sent is not there."""
    return _object(_fields(action))


def claim_text(claim: Claim) -> str:
    """The answer to a claim: with its grant, if it said what runs; to a plain one exactly the protocol's object."""
    fields = _fields(claim.action)
    if claim.grant is not None:
        fields |= {"action": _Raw(claim.envelope), "fingerprint": claim.fingerprint, "grant": claim.grant}
    return _object(fields)


def _fields(action: Action) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "id": str(action.id),
        "tool": action.tool,
        "server": action.server or None,
        "arguments": _Raw(action.arguments),
        "timeout": action.timeout,
        "agent_reasoning": action.agent_reasoning,
        "context": None if action.context is None else _Raw(action.context),
        "status": action.status,
        "created_at": iso(action.created_at),
        "deadline_at": iso(action.deadline_at),
    }
    if action.decided_at is not None:
        fields["decision"] = _sent(
            {
                "status": action.status,
                "note": action.note or None,
                "decided_at": iso(action.decided_at),
                "expires_at": iso(action.expires_at) if action.expires_at else None,
            }
        )
    if action.claimed_at is not None:
        fields["consumption"] = _sent({"consumed_at": iso(action.claimed_at), "outcome": _outcome(action)})
    return _sent(fields)


def _outcome(action: Action) -> dict[str, Any] | None:
    """The agent's report. An unknown outcome is the console's word for none."""
    if action.outcome not in (OutcomeStatus.SUCCEEDED, OutcomeStatus.FAILED) or action.outcome_at is None:
        return None
    return _sent({"status": action.outcome, "note": action.outcome_note or None, "reported_at": iso(action.outcome_at)})


def _sent(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _object(fields: dict[str, Any]) -> str:
    parts = (
        f"{dump_exact(name)}:{value if isinstance(value, _Raw) else dump_exact(value)}"
        for name, value in fields.items()
    )
    return "{" + ",".join(parts) + "}"
