"""Leak incidents: the list, one of them, and its closing."""

from typing import cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from runs.access import Role, requires, visible_environments
from runs.forms import text_in
from traces.models import Severity
from traces.queries.leaks import STATES, leak_filter_of, leak_for, leak_page
from traces.services.leaks import close_leak


@require_GET
@requires(Role.VIEWER)
def leak_list(request: HttpRequest) -> HttpResponse:
    """What is open, worst first; `state=closed` for what people have dealt with."""
    visible = visible_environments(request.user)
    chosen = leak_filter_of(request.GET, visible)
    before = request.GET.get("before", "")
    context = {
        "chosen": chosen,
        "page": leak_page(chosen, before),
        "is_first_page": not before,
        "states": STATES,
        "severities": Severity.labels,
        "visible": visible,
        "environment": chosen.environment,
    }
    return render(request, "traces/leaks.html", context)


@require_GET
@requires(Role.VIEWER)
def leak_detail(request: HttpRequest, incident_id: UUID) -> HttpResponse:
    """One incident: what is known of the secret, where it came from, what was done."""
    incident, places = leak_for(incident_id, visible_environments(request.user))
    context = {"incident": incident, "places": places, "environment": incident.environment_id}
    return render(request, "traces/leak.html", context)


@require_POST
@requires(Role.OPERATOR)
def close(request: HttpRequest, incident_id: UUID) -> HttpResponse:
    """Close it, with a reason."""
    person = cast(User, request.user)
    incident = close_leak(
        actor=f"person:{person.get_username()}",
        incident_id=incident_id,
        environments=visible_environments(person),
        reason=text_in(request, "reason"),
    )
    messages.success(request, f"The incident of a {incident.what} in {incident.environment_id} is closed.")
    return redirect("leaks")
