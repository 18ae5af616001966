"""Which approvals count: under the terms in force, and never one's own, also where the run that says so arrived after the vote."""

from django.contrib.auth.models import User

from approvals.exclusions import is_own
from approvals.models import Action, BreakGlass, Verdict, Vote
from approvals.policy import Answer, Terms


def is_persons_own(person: User, action: Action) -> bool:
    """Whether it is done for them, or belongs to a run that they started."""
    claims = [action.on_behalf_of]
    if action.run is not None:
        claims += [action.run.on_behalf_of, action.run.subject, action.run.actor]
    return is_own(username=person.username, email=person.email, claims=claims)


def approvals_that_count(action: Action, terms: Terms) -> list[Vote]:
    """The approvals that would be taken under these terms, oldest first, with their people; none of a closed account.

    A denial counts whatever the terms.

    One query, and one for the run.
    """
    votes = (
        action.votes.filter(verdict=Verdict.APPROVE, person__is_active=True)
        .select_related("person")
        .order_by("at", "id")
    )
    for group in terms.groups:
        votes = votes.filter(person__groups__name=group)
    if terms.needs_fresh_login:
        votes = votes.filter(was_fresh_login=True)
    return [vote for vote in votes if not is_persons_own(vote.person, action)]


def is_approved_enough(action: Action, terms: Terms) -> bool:
    """Whether what approved an action is enough under the terms in force now: people, where they ask people. Three queries at most."""
    if terms.answer is not Answer.ASK or len(approvals_that_count(action, terms)) >= terms.approvals:
        return True
    broken = BreakGlass.objects.select_related("person").filter(action=action).first()
    return broken is not None and broken.person.is_active and not is_persons_own(broken.person, action)
