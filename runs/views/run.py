"""The page of one run, and the permalink of a request."""

import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from agentconsole.errors import BadRequestError, NotFoundError
from agentconsole.protocol.ids import is_request_id, is_span_id
from runs.access import Role, requires, run_for, visible_environments
from runs.models import SPAN_OUTCOMES, Run
from runs.queries.run_detail import detail_of, event_detail_of
from runs.queries.run_page import (
    Neighbours,
    event_of,
    event_page,
    neighbours_of,
    ribbon_for,
    runs_of_request,
    siblings_of,
    span_of,
    span_page,
    sub_agent_page,
)
from runs.queries.shapes import iso, run_shape, tick_shape
from runs.queries.source_shapes import source_shape
from runs.timeline.drawn import Ribbon
from runs.timeline.state import Stretch, deadline_of, state_of, stretch_of

TIMELINE, TOKENS, AGENTS = "timeline", "tokens", "agents"


@requires(Role.VIEWER)
def run_detail(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """Where the time of a run went. `?tab=`, `?after=` (plain paging), `?span=` or `?event=` (the drawer) say what."""
    run = run_for(request.user, run_id)
    now = timezone.now()
    stretch = stretch_of(run, now)
    tab = request.GET.get("tab", TIMELINE)
    read = _TABS.get(tab)
    if read is None:
        raise NotFoundError("A run has the tabs timeline, tokens and agents.")
    neighbours, ribbon = neighbours_of(run), ribbon_for(run, stretch)
    context = {
        "run": run,
        "environment": run.environment_id,
        "state": state_of(run, now),
        "source": source_shape(run),
        "siblings": siblings_of(run),
        "stretch": stretch,
        "tools": [(outcome, run.tools[outcome]) for outcome in SPAN_OUTCOMES if outcome in run.tools],
        "deadline": deadline_of(run, now),
        "ribbon": ribbon,
        "neighbours": neighbours,
        "tab": tab,
        "page": read(run, stretch, request.GET.get("after", "")),
        "boot": boot_data(run, ribbon, neighbours, now),
        **_drawer(run, request.GET.get("span", ""), request.GET.get("event", "")),
    }
    return render(request, "runs/run.html", context)


def _timeline(run: Run, stretch: Stretch, after: str) -> Any:
    return span_page(run, stretch, after if is_span_id(after) else "")


def _tokens(run: Run, stretch: Stretch, after: str) -> Any:
    return event_page(run, int(after) if after.isdecimal() and len(after) < 19 else 0)  # noqa: PLR2004  fits a bigint


def _agents(run: Run, stretch: Stretch, after: str) -> Any:
    return sub_agent_page(run, after if is_span_id(after) else "")


_TABS: dict[str, Callable[[Run, Stretch, str], Any]] = {TIMELINE: _timeline, TOKENS: _tokens, AGENTS: _agents}


def _drawer(run: Run, span_id: str, event_id: str) -> dict[str, Any]:
    if span_id:
        span = span_of(run, span_id) if is_span_id(span_id) else None
        return {"drawer_for": span_id, "detail": detail_of(span) if span else None}
    if event_id:
        event = event_of(run, event_id)
        return {"drawer_for": event_id, "event": event, "event_detail": event_detail_of(event) if event else None}
    return {}


def boot_data(run: Run, ribbon: Ribbon, neighbours: Neighbours, now: datetime) -> dict[str, Any]:
    """What the page's modules start from: the run as of `seq`, the console's clock, and where to ask for more."""
    return {
        "run": run_shape(run),
        "ticks": [tick_shape(tick) for tick in ribbon.ticks],
        "seq": run.seq,
        "now": iso(now),
        "log": f"/api/v1/runs/{run.id}/log",
        "span": f"/api/v1/runs/{run.id}/spans/",
        "older": reverse("run", args=[neighbours.older]) if neighbours.older else None,
        "newer": reverse("run", args=[neighbours.newer]) if neighbours.newer else None,
    }


@requires(Role.VIEWER)
def request_detail(request: HttpRequest, request_id: str) -> HttpResponse:
    """The permalink of a request: its only run, all of them, or a page that waits for the first.

    Programs (and the waiting page) that accept JSON before HTML get `{"request_id", "runs": [{"url", "agent", "status"}]}`.
    """
    if not is_request_id(request_id):
        raise BadRequestError("That is not a request ID: 1 to 128 letters, digits and any of . _ : / @ + = -")
    runs = runs_of_request(request_id, visible_environments(request.user))
    if request.get_preferred_type(["text/html", "application/json"]) == "application/json":
        found = [{"url": reverse("run", args=[run.id]), "agent": run.agent.name, "status": run.status} for run in runs]
        return JsonResponse({"request_id": request_id, "runs": found})
    if len(runs) == 1:
        return redirect("run", run_id=runs[0].id)
    now = timezone.now()
    rows = [{"run": run, "state": state_of(run, now)} for run in runs]
    return render(request, "runs/request.html", {"request_id": request_id, "rows": rows})
