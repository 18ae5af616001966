"""The queue: what is pending, next to expire first, and what else people have to look into."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.contrib.auth.models import User
from django.db.models import Prefetch, Q, QuerySet

from approvals.models import Action, ActionStatus, Drift, OutcomeStatus, Presence, Verdict
from approvals.policy import Terms
from approvals.presentation import Visible, visible
from runs.queries.shapes import iso
from runs.vitals import Standing, standing_of

ROWS_A_PAGE = 50
PRESENT_FOR = timedelta(seconds=40)
COUNTED = 100
# How long a refused drift stays beside the queue.
DRIFT_SHOWN_FOR = timedelta(days=1)
TO_LOOK_INTO = 20
# Of each kind, over all environments: an index of little else finds them.
CONCERNS_READ = 100


@dataclass(frozen=True, slots=True)
class QueueRow:
    """A pending action as the queue shows it."""

    action: Action
    terms: Terms
    what: Visible
    on_behalf_of: Visible | None
    approvals: int
    denials: int
    looking: tuple[str, ...]
    standing: Standing

    @property
    def is_superseding(self) -> bool:
        """Whether it was put before people because something else than the approved action was about to run."""
        return self.action.supersedes_id is not None

    @property
    def risk(self) -> str:
        """What the agent declared, medium where it said nothing."""
        return self.action.risk or "medium"


@dataclass(frozen=True, slots=True)
class QueuePage:
    """Rows, and where the next page begins."""

    rows: list[QueueRow]
    next_after: str


def queue_page(environments: Sequence[str], now: datetime, after: str = "", person: User | None = None) -> QueuePage:
    """Pending actions of the environments, as the person sees them. Four queries."""
    pending = loaded(Action.objects.filter(environment__in=environments, status=ActionStatus.PENDING))
    pending = pending.filter(deadline_at__gt=now).order_by("deadline_at", "id")
    cursor = cursor_in(after)
    if cursor:
        pending = pending.filter(Q(deadline_at__gt=cursor[0]) | Q(deadline_at=cursor[0], id__gt=cursor[1]))
    found = list(pending[: ROWS_A_PAGE + 1])
    last = found[ROWS_A_PAGE - 1] if len(found) > ROWS_A_PAGE else None
    return QueuePage(
        [queue_row(action, now, person) for action in found[:ROWS_A_PAGE]],
        f"{iso(last.deadline_at)}_{last.id}" if last else "",
    )


def loaded(actions: QuerySet[Action]) -> QuerySet[Action]:
    """The actions with what a row of the queue needs of them. Three queries more."""
    presences = Prefetch("presences", Presence.objects.select_related("person"))
    known = actions.select_related("agent", "instance__beat", "superseded_by")
    return known.prefetch_related("votes", presences, "drifts")


def queue_row(action: Action, now: datetime, person: User | None = None) -> QueueRow:
    """The row of an action that `loaded` gave; of those who look at it, the others than the person."""
    verdicts = [vote.verdict for vote in action.votes.all()]
    seen = [presence for presence in action.presences.all() if now - presence.seen_at < PRESENT_FOR]
    return QueueRow(
        action=action,
        terms=Terms.from_json(action.terms),
        what=visible(f"{action.operation} {action.resource}".strip()),
        on_behalf_of=visible(action.on_behalf_of) if action.on_behalf_of else None,
        approvals=verdicts.count(Verdict.APPROVE),
        denials=verdicts.count(Verdict.DENY),
        standing=standing_of(action.instance, now),
        looking=tuple(sorted(presence.person.username for presence in seen if presence.person != person)),
    )


@dataclass(frozen=True, slots=True)
class Concern:
    """An ended action that somebody has to look into. `word` is `unknown` for its outcome, `drifted` for what was refused."""

    action: Action
    word: str
    what: Visible


def concern_of(action: Action, now: datetime) -> Concern | None:
    """What there is to look into of an action that `loaded` gave, if anything."""
    what = visible(f"{action.operation} {action.resource}".strip())
    if action.outcome == OutcomeStatus.UNKNOWN and not action.reconciled_as:
        return Concern(action, "unknown", what)
    refused = [drift for drift in action.drifts.all() if not drift.is_allowed and now - drift.at < DRIFT_SHOWN_FOR]
    return Concern(action, "drifted", what) if refused and not action.is_superseded else None


def concerns(environments: Sequence[str], now: datetime) -> list[Concern]:
    """What has to be looked into in the environments, the latest change first. Four queries, two if there is nothing."""
    unknown = Action.objects.filter(outcome=OutcomeStatus.UNKNOWN, reconciled_as="")
    refused = Drift.objects.filter(is_allowed=False, at__gt=now - DRIFT_SHOWN_FOR)
    ids = [
        *unknown.order_by("-outcome_at").values_list("id", flat=True)[:CONCERNS_READ],
        *refused.order_by("-at").values_list("action_id", flat=True)[:CONCERNS_READ],
    ]
    if not ids:
        return []
    found = Action.objects.filter(id__in=ids, environment__in=environments)
    found = found.select_related("agent", "superseded_by").prefetch_related("drifts")
    told = (concern_of(action, now) for action in found.order_by("-updated_at", "-id"))
    return [concern for concern in told if concern][:TO_LOOK_INTO]


def who_looks(environments: Sequence[str], now: datetime) -> dict[str, list[str]]:
    """Who looks at which pending action, by its id. One query."""
    seen = Presence.objects.filter(
        seen_at__gt=now - PRESENT_FOR, action__environment__in=environments, action__status=ActionStatus.PENDING
    )
    by_action: dict[str, list[str]] = {}
    for action_id, name in seen.order_by("person__username").values_list("action_id", "person__username"):
        by_action.setdefault(str(action_id), []).append(name)
    return by_action


def next_in_queue(environments: Sequence[str], now: datetime, *, person: User, but: uuid.UUID) -> uuid.UUID | None:
    """The pending action that expires next, other than one and those the person has voted on. One query."""
    pending = Action.objects.filter(environment__in=environments, status=ActionStatus.PENDING, deadline_at__gt=now)
    pending = pending.exclude(id=but).exclude(votes__person=person)
    return pending.order_by("deadline_at", "id").values_list("id", flat=True).first()


def pending_count(environments: Sequence[str], now: datetime) -> int:
    """How many actions wait for a decision, counted up to COUNTED. One query."""
    pending = Action.objects.filter(environment__in=environments, status=ActionStatus.PENDING, deadline_at__gt=now)
    return pending[:COUNTED].count()


def cursor_in(text: str) -> tuple[datetime, uuid.UUID] | None:
    """The place in a list that a page's link names; nothing if it names none."""
    at, _, action_id = text.partition("_")
    try:
        # In UTC, as databases compare it: the first and the last day have places that are not.
        return datetime.fromisoformat(at).astimezone(UTC), uuid.UUID(action_id)
    except (ValueError, OverflowError):
        return None
