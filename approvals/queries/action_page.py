"""Everything that the page of one action shows."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.contrib.auth.models import User

from agentconsole.errors import ConsoleError
from agentconsole.protocol.exact_json import parse_exact
from approvals.models import Action, BreakGlass, OutcomeStatus, Verdict, Vote, WebhookReceiver
from approvals.policy import changes
from approvals.presentation import Presentation, ShownChange, digest, shown_change, visible
from approvals.presentation.visible import Visible
from approvals.queries.queue import PRESENT_FOR
from approvals.services.deciding import refuse_own, refuse_stranger
from approvals.services.ending import no_such_action
from approvals.services.presenting import presentation_of
from runs.access import Role, role_of, visible_environments
from runs.vitals import Standing, standing_of
from runs.wait_spans import wait_span_id

SILENT_AFTER = timedelta(seconds=45)
HISTORY = 10
DRIFTS = 5


@dataclass(frozen=True, slots=True)
class ShownDrift:
    """A difference between what was approved and what was about to run."""

    at: datetime
    is_allowed: bool
    changes: list[ShownChange]


@dataclass(frozen=True, slots=True)
class ActionPage:
    """An action, what is shown of it, and what the person before it may do."""

    action: Action
    shown: Presentation
    digest: str
    lifecycle: str
    votes: list[Vote]
    drifts: list[ShownDrift]
    previous: Action | None
    since_previous: list[ShownChange]
    history: list[Action]
    looking: list[str]
    context: Visible | None
    broken: BreakGlass | None
    refusal: str
    is_gone: bool
    standing: Standing
    may_break_glass: bool

    @property
    def is_open(self) -> bool:
        """Whether people may still decide."""
        return not self.action.is_ended and not self.action.is_due

    @property
    def may_decide(self) -> bool:
        """Whether this person may."""
        return self.is_open and not self.refusal

    @property
    def is_repaired(self) -> bool:
        """Whether its instance lacked tools when it asked, and has started with all of them since."""
        return bool(self.action.lacks) and not self.standing.lacks

    @property
    def allowed_drifts(self) -> list[ShownDrift]:
        """What differed from the approved action and was let through."""
        return [drift for drift in self.drifts if drift.is_allowed]

    @property
    def wait_span(self) -> str:
        """The span of its run that waits for it."""
        return wait_span_id(self.action.id)

    @property
    def is_to_reconcile(self) -> bool:
        """Whether somebody has to find out what became of it."""
        return self.action.outcome == OutcomeStatus.UNKNOWN and not self.action.reconciled_as


def action_for(person: User, action_id: UUID) -> Action:
    """The action if the person may see it. NotFoundError else, whether it exists or not. Three queries."""
    action = (
        Action.objects.select_related("agent", "instance__beat", "run", "environment", "supersedes", "superseded_by")
        .filter(id=action_id)
        .first()
    )
    if action is None or action.environment_id not in visible_environments(person):
        raise no_such_action()
    return action


def action_page(person: User, action: Action, now: datetime) -> ActionPage:
    """The page of an action that `action_for` gave. At most 14 queries."""
    shown = presentation_of(action)
    votes = list(action.votes.select_related("person").order_by("at", "id"))
    same = Action.objects.filter(agent_id=action.agent_id, tool=action.tool, created_at__lt=action.created_at)
    history = list(same.select_related("superseded_by").order_by("-created_at")[:HISTORY])
    previous = history[0] if history and history[0].id != action.supersedes_id else None
    return ActionPage(
        action=action,
        shown=shown,
        digest=digest(shown),
        lifecycle="expired" if action.is_due else action.lifecycle,
        votes=votes,
        drifts=_drifts(action),
        previous=previous,
        since_previous=_since(previous, action),
        history=history,
        looking=others_looking(person, action, now),
        context=visible(action.context) if action.context else None,
        broken=BreakGlass.objects.select_related("person", "reviewed_by").filter(action=action).first(),
        refusal=refusal_for(person, action, shown, votes),
        is_gone=is_gone(action, now),
        standing=standing_of(action.instance, now),
        may_break_glass=_may_break_glass(person, action, votes),
    )


def refusal_for(person: User, action: Action, shown: Presentation, votes: list[Vote]) -> str:
    """Why this person can't decide on it, in words; empty if they can. `decide_action` has the last word."""
    try:
        refuse_stranger(person, action)
        refuse_own(person, action)
    except ConsoleError as error:
        return error.message
    if any(vote.person_id == person.pk for vote in votes):
        return "You have voted. Others have to complete the quorum."
    missing = (
        set(shown.terms.groups) - set(person.groups.values_list("name", flat=True)) if shown.terms.groups else None
    )
    return f"The policy asks the group {', '.join(sorted(missing))} to decide this." if missing else ""


def _may_break_glass(person: User, action: Action, votes: list[Vote]) -> bool:
    """Whether an admin may approve alone, past quorum and group. `break_glass` has the last word."""
    if role_of(person) < Role.ADMIN or any(
        vote.person_id == person.pk and vote.verdict == Verdict.DENY for vote in votes
    ):
        return False
    try:
        refuse_own(person, action)
    except ConsoleError:
        return False
    return True


def _drifts(action: Action) -> list[ShownDrift]:
    """The latest DRIFTS. One query."""
    found = action.drifts.order_by("-at")[:DRIFTS]
    return [ShownDrift(drift.at, drift.is_allowed, [shown_change(one) for one in drift.changes]) for drift in found]


def _since(previous: Action | None, action: Action) -> list[ShownChange]:
    """How it differs from the last request of the same agent for the same tool."""
    if previous is None:
        return []
    return [shown_change(one) for one in changes(parse_exact(previous.envelope), parse_exact(action.envelope))]


def others_looking(person: User, action: Action, now: datetime) -> list[str]:
    """Who else has the action open. One query."""
    seen = action.presences.filter(seen_at__gt=now - PRESENT_FOR).exclude(person=person)
    return sorted(seen.values_list("person__username", flat=True))


def is_gone(action: Action, now: datetime) -> bool:
    """Whether the agent that waited has stopped asking. One that is woken by a webhook need not ask. One query at most."""
    if action.is_ended or action.last_polled_at is None or now - action.last_polled_at < SILENT_AFTER:
        return False
    return not WebhookReceiver.objects.filter(instance_id=action.instance_id).exists()
