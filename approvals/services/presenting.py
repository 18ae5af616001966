"""From a row to what a reviewer is shown. The page renders it, a vote names its digest, and the decision recomputes it."""

from approvals.models import Action, Verdict
from approvals.presentation import Presentation, Progress, present
from approvals.services.policies import terms_now
from approvals.services.quorum import approvals_that_count
from runs.queries.shapes import iso


def presentation_of(action: Action) -> Presentation:
    """What is shown of an action as it is now. Five queries."""
    terms = terms_now(action)
    denials = action.votes.filter(verdict=Verdict.DENY).order_by("at", "id").values_list("person__username", flat=True)
    drift = action.drifts.filter(is_allowed=False).order_by("-at").first()
    return present(
        action.envelope.encode(),
        version=action.version,
        instance=action.instance.name,
        is_delegation_verified=action.is_delegation_verified,
        risk=action.risk,
        reasoning=action.agent_reasoning or "",
        summary=action.summary,
        terms=terms,
        progress=Progress(
            approvals=tuple(vote.person.username for vote in approvals_that_count(action, terms)),
            denials=tuple(denials),
        ),
        drift=_drift_of(action) if action.supersedes_id else drift.changes if drift else [],
        deadline_at=iso(action.deadline_at),
    )


def _drift_of(action: Action) -> list[dict[str, str]]:
    """Of a superseding action: how it differs from what had been approved."""
    drift = action.supersedes.drifts.filter(fingerprint=action.fingerprint).order_by("-at").first()  # type: ignore[union-attr]
    return drift.changes if drift else []
