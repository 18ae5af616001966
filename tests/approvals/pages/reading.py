"""Pages as their readers take them in, and actions brought to each of their ends."""

from contextlib import suppress
from datetime import timedelta
from html import unescape
from re import sub
from typing import Any

import time_machine
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from approvals.models import Action, OutcomeStatus, Verdict
from approvals.services.claiming import consume_action
from approvals.services.drifting import FingerprintMismatchError
from approvals.services.ending import cancel_action, expire_due_actions
from approvals.services.reporting import mark_unknown_outcomes, reconcile_outcome, report_outcome
from tests.approvals.asking import RESTART, ask_for, claimed, decide
from tests.cast import AgentCaller

LONG_AGO = timedelta(hours=2)


def words_of(page: Any) -> str:
    """The text of a response's page, without its tags."""
    return " ".join(unescape(sub(r"<[^>]*>", " ", page.content.decode())).split())


def main_of(client: Client, action: Action) -> str:
    """The text of the action on its page, without the queue beside it."""
    page = client.get(f"/approvals/{action.id}/").content.decode()
    article = page.partition("<article")[2].partition("</article>")[0]
    return " ".join(unescape(sub(r"<[^>]*>", " ", article)).split())


def claim(agent: AgentCaller, action: Action, **changed: Any) -> None:
    """Start it, or something else; a refusal stays on record."""
    about_to_run = claimed({**RESTART, **changed})
    with suppress(FingerprintMismatchError):
        consume_action(instance=agent.instance, action_id=action.id, idempotency_key="k", claimed=about_to_run)


def ended(word: str, agent: AgentCaller, person: User) -> Action:
    """An action of which a page says `word`."""
    if word in ("lapsed", "unknown", "reconciled", "expired"):
        return _by_the_clock(word, agent, person)
    action = ask_for(agent)
    match word:
        case "denied":
            decide(person, action, Verdict.DENY, "not now")
        case "cancelled":
            cancel_action(instance=agent.instance, action_id=action.id)
        case "approved" | "claimed" | "succeeded" | "failed":
            decide(person, action)
    if word in ("claimed", "succeeded", "failed"):
        claim(agent, action)
    if word in ("succeeded", "failed"):
        report_outcome(instance=agent.instance, action_id=action.id, status=OutcomeStatus(word), note="as I saw it")
    return Action.objects.get(id=action.id)


def _by_the_clock(word: str, agent: AgentCaller, person: User) -> Action:
    with time_machine.travel(timezone.now() - LONG_AGO, tick=False):
        action = ask_for(agent)
        if word != "expired":
            decide(person, action)
        if word in ("unknown", "reconciled"):
            claim(agent, action)
    expire_due_actions()
    mark_unknown_outcomes()
    if word == "reconciled":
        reconcile_outcome(person=person, action_id=action.id, found=OutcomeStatus.FAILED, note="it never came back")
    return Action.objects.get(id=action.id)
