"""Agents, their instances, and the credentials that admins give them."""

from datetime import datetime, timedelta
from typing import cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from agentconsole.errors import BadRequestError, ConsoleError, NotFoundError
from runs.access import Role, requires, visible_environments
from runs.models import Agent, AgentInstance
from runs.queries.agents import agent_page, agent_story
from runs.services.content import switch_content
from runs.services.credentials import Issued, issue_credential, revoke_credential, rotate_credential

LIFETIMES = {"": None, "30": 30, "90": 90, "365": 365}


@require_GET
@requires(Role.VIEWER)
def agent_list(request: HttpRequest) -> HttpResponse:
    """Every agent of the visible environments."""
    page = agent_page(visible_environments(request.user), timezone.now(), request.GET.get("after", ""))
    return render(request, "runs/agents.html", {"page": page})


@require_GET
@requires(Role.VIEWER)
def agent_detail(request: HttpRequest, environment: str, name: str) -> HttpResponse:
    """One agent: state, startup summary, instances, runs."""
    story = agent_story(environment, name, visible_environments(request.user), timezone.now())
    return render(request, "runs/agent.html", {"story": story, "environment": environment})


@require_POST
@requires(Role.ADMIN)
def content(request: HttpRequest, environment: str, name: str) -> HttpResponse:
    """Content on or off, from now on."""
    keeps = request.POST.get("keeps") == "on"
    visible = visible_environments(request.user)
    switch_content(actor=_actor(request), environment=environment, agent=name, environments=visible, keeps=keeps)
    messages.success(request, f"From now on {name}'s content is {'kept' if keeps else 'not kept'}.")
    return redirect("agent", environment, name)


@never_cache
@require_http_methods(["GET", "POST"])
@requires(Role.ADMIN)
def new_credential(request: HttpRequest) -> HttpResponse:
    """The form for a new instance; its answer shows the token, once."""
    asked = request.POST if request.method == "POST" else request.GET
    context = {
        "visible": visible_environments(request.user),
        "lifetimes": LIFETIMES,
        "asked": {name: asked.get(name, "").strip() for name in ("environment", "agent", "instance", "days")},
    }
    if request.method == "GET":
        return render(request, "runs/credential_new.html", context)
    try:
        return _shown_once(request, _issue(request))
    except ConsoleError as error:
        return render(request, "runs/credential_new.html", {**context, "problem": error}, status=error.http_status)


def _issue(request: HttpRequest) -> Issued:
    days = request.POST.get("days", "")
    if days not in LIFETIMES:
        raise BadRequestError("Choose how long the credential lives.")
    lifetime = LIFETIMES[days]
    expires_at: datetime | None = timezone.now() + timedelta(days=lifetime) if lifetime else None
    names = {name: request.POST.get(name, "").strip() for name in ("environment", "agent", "instance")}
    return issue_credential(actor=_actor(request), expires_at=expires_at, **names)


@never_cache
@require_POST
@requires(Role.ADMIN)
def rotate(request: HttpRequest, instance_id: int) -> HttpResponse:
    """A new token for an instance; the old one stops at once."""
    return _shown_once(request, rotate_credential(actor=_actor(request), instance_id=instance_id))


@require_POST
@requires(Role.ADMIN)
def revoke(request: HttpRequest, instance_id: int) -> HttpResponse:
    """An instance's credential opens nothing from now on."""
    instance = revoke_credential(actor=_actor(request), instance_id=instance_id)
    messages.success(request, f"The credential of {instance.name} is revoked.")
    return redirect("agent", instance.agent.environment_id, instance.agent.name)


@require_GET
@requires(Role.ADMIN)
def confirm(request: HttpRequest, instance_id: int, verb: str) -> HttpResponse:
    """What rotating or revoking means, before it is done."""
    instance = AgentInstance.objects.select_related("agent").filter(id=instance_id, revoked_at=None).first()
    if instance is None or verb not in ("rotate", "revoke"):
        raise NotFoundError("There is no such instance, or its credential is revoked.")
    context = {"instance": instance, "verb": verb, "environment": instance.agent.environment_id}
    return render(request, "runs/credential_confirm.html", context)


def _shown_once(request: HttpRequest, issued: Issued) -> HttpResponse:
    agent: Agent = issued.instance.agent
    context = {"issued": issued, "agent": agent, "environment": agent.environment_id, "url": settings.CONSOLE_URL}
    return render(request, "runs/credential_issued.html", context)


def _actor(request: HttpRequest) -> str:
    return f"user:{cast(User, request.user).get_username()}"
