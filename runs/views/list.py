"""The run list, its saved views, and what its live rows ask for."""

import uuid
from dataclasses import asdict
from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from agentconsole.errors import BadRequestError
from agentconsole.protocol.tokens import TOKENS
from runs.access import Role, requires, visible_environments
from runs.models import SavedView
from runs.queries.agents import agent_names
from runs.queries.histogram import histogram
from runs.queries.run_filter import CHOICES, FIELDS, cursor_of, filter_of
from runs.queries.run_list import ROWS_A_PAGE, RunRow, rows_of_runs, run_page
from runs.queries.shapes import iso
from runs.services.saved_views import remove_view, save_view
from runs.wording import TRANSPORT_ICONS, environment_role

QUICK_STATUSES = ("running", "waiting", "failed", "stalled")


@require_GET
@requires(Role.VIEWER)
def run_list(request: HttpRequest) -> HttpResponse:
    """Runs, newest first, narrowed by the URL's query."""
    if any(name in request.GET and not request.GET[name].strip() for name in FIELDS):
        return redirect(_without_empty(request))
    now, visible = timezone.now(), visible_environments(request.user)
    chosen = filter_of(request.GET, visible, now)
    cursor = cursor_of(request.GET.get("before", ""))
    context = {
        "chosen": chosen,
        "page": run_page(chosen, cursor, now),
        "is_first_page": cursor is None,
        "histogram": histogram(chosen, now),
        "views": SavedView.objects.filter(user=cast(User, request.user), page="runs").order_by("name"),
        "quick_statuses": QUICK_STATUSES,
        "choices": CHOICES,
        "visible": visible,
        "agents": agent_names(visible),
        "tokens": TOKENS,
        "environment": chosen.environment,
        "now": iso(now),
        "doors": TRANSPORT_ICONS,
        "environment_roles": {name: environment_role(name) for name in visible},
        "console_url": settings.CONSOLE_URL,
    }
    return render(request, "runs/list.html", context)


def _without_empty(request: HttpRequest) -> str:
    """An HTML form sends its empty fields too; the URL of a view should carry what it means and no more."""
    kept = request.GET.copy()
    for name in FIELDS:
        if not kept.get(name, "").strip():
            kept.pop(name, None)
    return f"{request.path}?{kept.urlencode()}" if kept else request.path


@require_GET
@requires(Role.VIEWER)
def run_details(request: HttpRequest) -> HttpResponse:
    """What a live frame does not say of `?run=…&run=…`: `{run id: {bar, length, lacks}}`."""
    try:
        run_ids = [uuid.UUID(text) for text in request.GET.getlist("run")[:ROWS_A_PAGE]]
    except ValueError as error:
        raise BadRequestError("run= takes the id of a run.") from error
    rows = rows_of_runs(run_ids, visible_environments(request.user), timezone.now())
    return JsonResponse({str(row.run.id): _details(row) for row in rows})


def _details(row: RunRow) -> dict[str, Any]:
    return {
        "bar": [asdict(piece) for piece in row.bar],
        "length": row.length_ms,
        "lacks": str(row.run.lacks),
    }


@require_POST
@requires(Role.VIEWER)
def keep_view(request: HttpRequest) -> HttpResponse:
    """Save the list's filters under a name."""
    view = save_view(
        person=cast(User, request.user), name=request.POST.get("name", ""), query=request.POST.get("query", "")
    )
    messages.success(request, f"Saved as “{view.name}”.")
    return redirect(f"/runs/?{view.query}")


@require_POST
@requires(Role.VIEWER)
def drop_view(request: HttpRequest, view_id: int) -> HttpResponse:
    """Forget one of one's own views."""
    remove_view(person=cast(User, request.user), view_id=view_id)
    messages.success(request, "The view is gone.")
    return redirect("run-list")
