"""Verdicts by form: each a POST with CSRF, on the version that the page showed."""

from collections.abc import Callable
from typing import cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from agentconsole.errors import BadRequestError, ConsoleError
from approvals.models import Action, OutcomeStatus, Verdict
from approvals.presentation import visible
from approvals.queries.queue import next_in_queue
from approvals.services import deciding, glass, reporting
from approvals.services.deciding import Shown
from approvals.views.fresh_login import confirm_password
from approvals.views.queue import chosen_environments, render_action
from runs.access import Role, requires, visible_environments
from runs.forms import number_in, text_in

_SAID = {"approved": "Approved", "denied": "Rejected", "pending": "Your vote counts; the quorum needs more"}


def _answered(request: HttpRequest, action_id: UUID, act: Callable[[User], str]) -> HttpResponse:
    """Do it and go on to the next; what is refused is told on the page, as the action is now."""
    try:
        said = act(cast(User, request.user))
    except ConsoleError as error:
        return render_action(request, action_id, problem=error, typed=request.POST.get("note", ""))
    messages.success(request, said)
    person = cast(User, request.user)
    chosen = chosen_environments(request, visible_environments(person))
    following = next_in_queue(chosen, timezone.now(), person=person, but=action_id)
    only = {"environment": request.GET["environment"]} if "environment" in request.GET else None
    return redirect(
        reverse("approval", args=[following], query=only) if following else reverse("approvals", query=only)
    )


def _shown(request: HttpRequest) -> Shown:
    version = number_in(request, "version")
    if version is None:
        raise BadRequestError("The form does not say which version it showed. Load the page again.")
    return Shown(
        version=version,
        presentation_digest=request.POST.get("presentation_digest", ""),
        opened=frozenset(request.POST.getlist("opened")),
    )


@require_POST
@requires(Role.VIEWER)
def decide(request: HttpRequest, action_id: UUID) -> HttpResponse:
    """Approve or reject."""

    def act(person: User) -> str:
        if request.POST.get("verdict") not in Verdict.values:
            raise BadRequestError("Choose Approve or Reject.")
        action = deciding.decide_action(
            person=person,
            action_id=action_id,
            verdict=Verdict(request.POST["verdict"]),
            note=text_in(request, "note"),
            shown=_shown(request),
            is_fresh_login=confirm_password(request, "APPROVAL_VOTE_REFUSED", action_id),
        )
        return f"{_SAID.get(action.status, action.status)}: {_name(action)}."

    return _answered(request, action_id, act)


@require_POST
@requires(Role.VIEWER)
def break_glass(request: HttpRequest, action_id: UUID) -> HttpResponse:
    """Approve alone, and say why. Who is no admin is refused by the service, which keeps it in the audit chain."""

    def act(person: User) -> str:
        action = glass.break_glass(
            person=person,
            action_id=action_id,
            reason=text_in(request, "note"),
            shown=_shown(request),
            is_fresh_login=confirm_password(request, "APPROVAL_VOTE_REFUSED", action_id),
        )
        return f"Approved by breaking the glass: {_name(action)}. A second person has to review it."

    return _answered(request, action_id, act)


@require_POST
@requires(Role.VIEWER)
def review(request: HttpRequest, action_id: UUID) -> HttpResponse:
    """A second person's word on a broken glass. As everywhere here, the service refuses whom it has to, and keeps it."""

    def act(person: User) -> str:
        glass.review_break_glass(person=person, action_id=action_id, note=text_in(request, "note"))
        return "Your review is in the audit log."

    return _answered(request, action_id, act)


@require_POST
@requires(Role.VIEWER)
def reconcile(request: HttpRequest, action_id: UUID) -> HttpResponse:
    """What a person found of an outcome that nobody reported."""

    def act(person: User) -> str:
        found = request.POST.get("found", "")
        if found not in (OutcomeStatus.SUCCEEDED, OutcomeStatus.FAILED):
            raise BadRequestError("Choose whether it succeeded or failed.")
        reporting.reconcile_outcome(
            person=person, action_id=action_id, found=OutcomeStatus(found), note=text_in(request, "note")
        )
        return "What you found is in the audit log."

    return _answered(request, action_id, act)


def _name(action: Action) -> str:
    return visible(f"{action.operation} {action.resource}".strip()).safe
