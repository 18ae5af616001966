"""What was decided, newest question first, found by what people remember of it."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils import timezone

from approvals.models import Action, ActionStatus, Drift, OutcomeStatus, Vote
from approvals.queries.queue import ROWS_A_PAGE, cursor_in
from runs.queries.shapes import iso


@dataclass(frozen=True, slots=True)
class DecidedPage:
    """Ended actions, newest first, and where the next page begins."""

    rows: list[Action]
    next_before: str


def decided_page(environments: Sequence[str], search: str, before: str = "") -> DecidedPage:
    """Ended actions of the environments that a search finds. One query."""
    ended = Action.objects.filter(environment__in=environments).exclude(status=ActionStatus.PENDING)
    ended = ended.select_related("agent", "superseded_by").order_by("-created_at", "-id")
    if search:
        ended = ended.filter(_found_by(search.strip(), timezone.now()))
    cursor = cursor_in(before)
    if cursor:
        ended = ended.filter(Q(created_at__lt=cursor[0]) | Q(created_at=cursor[0], id__lt=cursor[1]))
    found = list(ended[: ROWS_A_PAGE + 1])
    last = found[ROWS_A_PAGE - 1] if len(found) > ROWS_A_PAGE else None
    return DecidedPage(found[:ROWS_A_PAGE], f"{iso(last.created_at)}_{last.id}" if last else "")


def _found_by(word: str, now: datetime) -> Q:
    """Actions that a word means: a state in the words of the page, or part of what they are and of who had to do with them."""
    state = _states(now).get(word.lower(), Q())
    voted = Vote.objects.filter(person__username__iexact=word).values("action")
    found = (
        state
        | Q(fingerprint__startswith=word)
        | Q(tool__icontains=word)
        | Q(operation__icontains=word)
        | Q(resource__icontains=word)
        | Q(agent__name__icontains=word)
        | Q(decided_by__icontains=word)
        | Q(on_behalf_of__icontains=word)
        | Q(id__in=voted)
        | Q(request_id=word)
    )
    try:
        return found | Q(id=uuid.UUID(word))
    except ValueError:
        return found


def _states(now: datetime) -> dict[str, Q]:
    """What the words for an action's state mean, in the words of its row."""
    current = Q(superseded_by=None)
    approved = Q(status=ActionStatus.APPROVED) & current
    unclaimed = approved & Q(claimed_at=None)
    unknown = Q(outcome=OutcomeStatus.UNKNOWN, reconciled_as="")
    claimed = approved & Q(claimed_at__isnull=False, outcome="")
    return {
        "approved": Q(status=ActionStatus.APPROVED),
        "denied": Q(status=ActionStatus.DENIED),
        "rejected": Q(status=ActionStatus.DENIED),
        "expired": Q(status=ActionStatus.EXPIRED),
        "cancelled": Q(status=ActionStatus.CANCELLED),
        "withdrawn": Q(status=ActionStatus.CANCELLED),
        "superseded": Q(superseded_by__isnull=False),
        "not started": unclaimed & Q(expires_at__gt=now),
        "lapsed": unclaimed & Q(expires_at__lte=now),
        "claimed": claimed,
        "started": claimed,
        "succeeded": Q(outcome=OutcomeStatus.SUCCEEDED) | Q(reconciled_as=OutcomeStatus.SUCCEEDED),
        "failed": Q(outcome=OutcomeStatus.FAILED) | Q(reconciled_as=OutcomeStatus.FAILED),
        "unknown": unknown,
        "outcome unknown": unknown,
        "reconciled": ~Q(reconciled_as=""),
        "drift": Q(id__in=Drift.objects.values("action")),
    }
