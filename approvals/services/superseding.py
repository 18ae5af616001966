"""A refused drift in `pending` mode becomes a question of its own, linked to the one whose place it takes."""

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from agentconsole.logconf import get_logger
from agentconsole.protocol.exact_json import parse_exact
from approvals.models import Action
from approvals.policy import Answer, Terms, stricter
from approvals.services import audit
from approvals.services.asking import audit_request, decide_by_policy, new_action
from approvals.services.delegation import Delegation
from approvals.services.ending import audit_end
from approvals.services.linking import wait_in_run
from approvals.services.telling import tell
from approvals.submission import Submission, console_fields, seconds_of

if TYPE_CHECKING:
    from approvals.services.claiming import Claimed

log = get_logger(__name__)


def supersede(old: Action, claimed: "Claimed", *, now: datetime) -> Action:
    """Ask for what was about to run instead of what `old` was approved for. In the transaction that holds `old`'s lock.

    Its terms are never weaker than the old ones'; `old` can't be claimed from here on.
    """
    action = new_action(old.instance, _submission(old, claimed), now=now, proven=_delegation(old))
    terms = stricter(Terms.from_json(old.terms), Terms.from_json(action.terms))
    action.terms = terms.to_json()
    action.supersedes, action.run = old, old.run
    # Begins as no header's key can: an agent that used it before would undo the record of its drift.
    action.idempotency_key = f" supersedes:{old.id}"
    action.submission_digest = action.fingerprint.partition(":")[2]
    action.save(force_insert=True)
    if action.run is not None:
        wait_in_run(action, action.run)
    if terms.answer is Answer.DENY:
        decide_by_policy(action, terms, now)
    else:
        tell(action)
    audit_request(action)
    audit.append(
        "APPROVAL_SUPERSEDED",
        actor=f"agent:{old.agent.name}/{old.instance.name}",
        object_id=f"action:{old.id}",
        data={"superseding": str(action.id), "fingerprint": action.fingerprint},
    )
    if action.is_ended:
        audit_end(action)
    log.warning("APPROVAL_SUPERSEDED", action_id=str(old.id), superseding=str(action.id))
    return action


def _submission(old: Action, claimed: "Claimed") -> Submission:
    fields = console_fields(None if old.context is None else parse_exact(old.context))
    said = {
        name: value
        for name in ("operation", "resource", "schema_digest")
        if (value := getattr(claimed, name)) is not None
    }
    return Submission(
        tool=claimed.tool,
        server=claimed.server,
        arguments=claimed.arguments,
        timeout=old.timeout,
        timeout_s=seconds_of(old.timeout),
        agent_reasoning=old.agent_reasoning,
        context=None if old.context is None else parse_exact(old.context),
        console=replace(fields, **said),
    )


def _delegation(old: Action) -> Delegation | None:
    """What was proven when the old one was asked: the agent's run still works for the same person."""
    if not old.is_delegation_verified:
        return None
    return Delegation(person=old.on_behalf_of, request_id=old.request_id, delegation_id=old.delegation_id)
