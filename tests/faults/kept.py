"""What a console kept of a stretch of work, read from its database: `python -m tests.faults.kept <instance> <run> …` prints JSON.

A process of its own: its variables lead to the console's database, past everything that is broken.
"""

import json
import os
import sys
from collections import Counter
from typing import Any, TypedDict

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "agentconsole.settings")


class KeptAction(TypedDict):
    """An action, its votes, and how often the audit chain tells of each step."""

    status: str
    claim_key: str | None
    outcome: str
    votes: list[str]
    audited: dict[str, int]


class Kept(TypedDict):
    """What is there."""

    numbers: dict[str, list[int]]
    actions: dict[str, KeptAction]
    broken: str


def kept(instance: str, runs: list[str]) -> Kept:
    """The numbers of each run's events, the instance's actions, and the first broken link of the audit chain."""
    from approvals.models import Action
    from approvals.queries.audit import verify_chain
    from runs.models import TraceEvent

    numbers = {run: sorted(_numbers(TraceEvent, run)) for run in runs}
    actions = Action.objects.filter(instance__name=instance).prefetch_related("votes")
    return {
        "numbers": numbers,
        "actions": {str(action.id): _kept_action(action) for action in actions},
        "broken": verify_chain().broken,
    }


def _numbers(events: Any, run: str) -> list[int]:
    rows = events.objects.filter(run_id=run).values_list("fields", flat=True)
    return [fields["n"] for fields in rows if "n" in fields]


def _kept_action(action: Any) -> KeptAction:
    from approvals.models import AuditEntry

    told = Counter(AuditEntry.objects.filter(object=f"action:{action.id}").values_list("token", flat=True))
    return {
        "status": action.status,
        "claim_key": action.claim_key if action.claimed_at else None,
        "outcome": action.outcome,
        "votes": [vote.verdict for vote in action.votes.all()],
        "audited": dict(told),
    }


if __name__ == "__main__":
    import django

    django.setup()
    print(json.dumps(kept(sys.argv[1], sys.argv[2:])))
