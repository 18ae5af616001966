"""The evidence of one action: asked, shown, voted, claimed, ran, reported; each step with its place in the audit chain."""

import json
from typing import Any, TypedDict

from agentconsole.protocol.exact_json import parse_exact
from approvals.models import Action, AuditEntry
from runs.queries.shapes import iso


class Step(TypedDict):
    """An entry of the chain. `data` is what was hashed, parsed."""

    seq: int
    at: str
    actor: str
    token: str
    data: Any
    prev_hash: str
    hash: str


class EvidencePack(TypedDict):
    """Everything that the console knows of an action, for somebody who has nothing else."""

    action_id: str
    fingerprint: str
    envelope: Any
    canonical: str
    asked: dict[str, Any]
    terms: Any
    votes: list[dict[str, Any]]
    break_glass: dict[str, Any] | None
    decision: dict[str, Any] | None
    drifts: list[dict[str, Any]]
    claim: dict[str, Any] | None
    outcome: dict[str, Any] | None
    links: dict[str, str]
    chain: list[Step]


def evidence_pack(action: Action) -> EvidencePack:
    """The pack of an action. Five queries."""
    return {
        "action_id": str(action.id),
        "fingerprint": action.fingerprint,
        "envelope": parse_exact(action.envelope),
        "canonical": action.envelope,
        "asked": _asked(action),
        "terms": action.terms,
        "votes": _votes(action),
        "break_glass": _break_glass(action),
        "decision": _decision(action),
        "drifts": [
            {
                "at": iso(drift.at),
                "fingerprint": drift.fingerprint,
                "envelope": parse_exact(drift.envelope),
                "changes": drift.changes,
                "is_allowed": drift.is_allowed,
            }
            for drift in action.drifts.order_by("at")
        ],
        "claim": _claim(action),
        "outcome": _outcome(action),
        "links": _links(action),
        "chain": [_step(entry) for entry in AuditEntry.objects.filter(object=f"action:{action.id}").order_by("seq")],
    }


def _asked(action: Action) -> dict[str, Any]:
    return {
        "at": iso(action.created_at),
        "deadline_at": iso(action.deadline_at),
        "agent": action.agent.name,
        "instance": action.instance.name,
        "environment": action.environment_id,
        "on_behalf_of": action.on_behalf_of,
        "is_delegation_verified": action.is_delegation_verified,
        "claimed_by_agent": {"reasoning": action.agent_reasoning, "summary": action.summary, "risk": action.risk},
    }


def _votes(action: Action) -> list[dict[str, Any]]:
    return [
        {
            "person": vote.person.username,
            "verdict": vote.verdict,
            "note": vote.note,
            "at": iso(vote.at),
            "fingerprint": vote.fingerprint,
            "presentation_digest": vote.presentation_digest,
            "version": vote.action_version,
            "was_fresh_login": vote.was_fresh_login,
            "request_id": vote.request_id,
        }
        for vote in action.votes.select_related("person").order_by("at", "id")
    ]


def _break_glass(action: Action) -> dict[str, Any] | None:
    broken = getattr(action, "break_glass", None)
    if broken is None:
        return None
    return {
        "person": broken.person.username,
        "reason": broken.reason,
        "at": iso(broken.at),
        "reviewed_by": broken.reviewed_by.username if broken.reviewed_by else None,
        "reviewed_at": iso(broken.reviewed_at) if broken.reviewed_at else None,
        "review": broken.review_note,
    }


def _decision(action: Action) -> dict[str, Any] | None:
    if action.decided_at is None:
        return None
    return {
        "status": action.status,
        "by": action.decided_by,
        "at": iso(action.decided_at),
        "note": action.note,
        "expires_at": iso(action.expires_at) if action.expires_at else None,
    }


def _claim(action: Action) -> dict[str, Any] | None:
    if action.claimed_at is None:
        return None
    grant = {name: value for name, value in (action.grant or {}).items() if name != "envelope"}
    return {"at": iso(action.claimed_at), "said_what_runs": action.grant is not None, "grant": grant or None}


def _outcome(action: Action) -> dict[str, Any] | None:
    if not action.outcome:
        return None
    found = {
        "as": action.reconciled_as,
        "by": action.reconciled_by.username,
        "at": iso(action.reconciled_at),
        "note": action.reconciled_note,
    } if action.reconciled_by and action.reconciled_at else None  # fmt: skip
    at = iso(action.outcome_at) if action.outcome_at else None
    return {"status": action.outcome, "note": action.outcome_note, "at": at, "reconciled": found}


def _links(action: Action) -> dict[str, str]:
    superseding = getattr(action, "superseded_by", None)
    links = {
        "run": str(action.run_id or ""),
        "request_id": action.request_id,
        "supersedes": str(action.supersedes_id or ""),
        "superseded_by": str(superseding.id) if superseding else "",
    }
    return {name: value for name, value in links.items() if value}


def _step(entry: AuditEntry) -> Step:
    return {
        "seq": entry.seq,
        "at": entry.at,
        "actor": entry.actor,
        "token": entry.token,
        "data": json.loads(entry.data),
        "prev_hash": entry.prev_hash,
        "hash": entry.hash,
    }
