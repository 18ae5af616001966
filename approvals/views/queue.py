"""The desk: the queue on one side, the action on the other."""

from typing import Any, cast
from uuid import UUID

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from agentconsole.errors import ConsoleError
from approvals.queries.action_page import action_for, action_page, is_gone, others_looking
from approvals.queries.decided import decided_page
from approvals.queries.queue import concerns, queue_page, who_looks
from approvals.services.presence import note_presence
from approvals.views.fresh_login import is_fresh
from runs.access import Role, requires, visible_environments
from runs.queries.shapes import iso


@never_cache
@require_GET
@requires(Role.VIEWER)
def queue(request: HttpRequest) -> HttpResponse:
    """What waits for a decision, next to expire first, and the first of it beside."""
    context = desk(request)
    rows = context["queue"].rows
    if rows:
        person = cast(User, request.user)
        context["page"] = action_page(person, action_for(person, rows[0].action.id), timezone.now())
    return render(request, "approvals/desk.html", {**context, "is_queue": True})


@never_cache
@require_GET
@requires(Role.VIEWER)
def action(request: HttpRequest, action_id: UUID) -> HttpResponse:
    """One action, whole."""
    return render_action(request, action_id)


def render_action(
    request: HttpRequest, action_id: UUID, *, problem: ConsoleError | None = None, typed: str = ""
) -> HttpResponse:
    """The page of an action; with what went wrong on top, the state as it is now, and what was typed."""
    person = cast(User, request.user)
    page = action_page(person, action_for(person, action_id), timezone.now())
    context = {
        **desk(request),
        "page": page,
        "environment": page.action.environment_id,
        "problem": problem,
        "typed": typed,
    }
    return render(request, "approvals/desk.html", context, status=problem.http_status if problem else 200)


def desk(request: HttpRequest) -> dict[str, Any]:
    """What both sides have in common."""
    visible, now = visible_environments(request.user), timezone.now()
    chosen = chosen_environments(request, visible)
    only = chosen[0] if chosen != visible else ""
    return {
        "queue": queue_page(chosen, now, request.GET.get("after", ""), cast(User, request.user)),
        "concerns": concerns(chosen, now),
        "visible": visible,
        "environment": only,
        "only": only,
        "is_first_page": "after" not in request.GET,
        "now": iso(now),
        "is_fresh": is_fresh(request),
    }


def chosen_environments(request: HttpRequest, visible: list[str]) -> list[str]:
    """The environment that the address keeps the queue to, if the person may see it; else all that are visible to them."""
    chosen = request.GET.get("environment", "")
    return [chosen] if chosen in visible else visible


@require_GET
@requires(Role.VIEWER)
def decided(request: HttpRequest) -> HttpResponse:
    """What was decided, newest first, with a search."""
    search = request.GET.get("q", "").replace("\x00", "").strip()[:200]
    page = decided_page(visible_environments(request.user), search, request.GET.get("before", ""))
    return render(request, "approvals/decided.html", {"decided": page, "search": search})


@never_cache
@require_GET
@requires(Role.VIEWER)
def lookers(request: HttpRequest) -> HttpResponse:
    """Who looks at what of the queue."""
    return JsonResponse({"queue": who_looks(visible_environments(request.user), timezone.now())})


@require_POST
@requires(Role.VIEWER)
def looking(request: HttpRequest, action_id: UUID) -> HttpResponse:
    """The person has the action open; who else has, whether its agent is still there, and who looks at the rest of the queue."""
    person, now = cast(User, request.user), timezone.now()
    found = action_for(person, action_id)
    note_presence(person=person, action=found)
    return JsonResponse(
        {
            "looking": others_looking(person, found, now),
            "is_gone": is_gone(found, now),
            "queue": who_looks(visible_environments(person), now),
        }
    )
