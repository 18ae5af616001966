"""Provisioner tokens: what lets a platform make instances of one agent by itself."""

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from agentconsole.errors import ConsoleError
from approvals.models import Provisioner
from approvals.services.provisioners import issue_provisioner, revoke_provisioner
from runs.access import Role, requires, visible_environments
from runs.forms import text_in


@never_cache
@require_http_methods(["GET", "POST"])
@requires(Role.ADMIN)
def provisioners(request: HttpRequest) -> HttpResponse:
    """The tokens that there are, and the form for a new one; its answer shows the token, once."""
    context: dict[str, Any] = {
        "visible": visible_environments(request.user),
        "asked": {name: text_in(request, name).strip() for name in ("environment", "agent", "name")},
    }
    status = 200
    if request.method == "POST":
        try:
            context["issued"] = issue_provisioner(actor=_actor(request), **context["asked"])
        except ConsoleError as error:
            context["problem"], status = error.message, error.http_status
        except ValidationError as error:
            context["problem"], status = " ".join(error.messages), 400
    context["provisioners"] = Provisioner.objects.select_related("agent").order_by("revoked_at", "agent", "name")[:200]
    return render(request, "approvals/provisioners.html", context, status=status)


@require_POST
@requires(Role.ADMIN)
def revoke(request: HttpRequest, provisioner_id: int) -> HttpResponse:
    """A provisioner makes no more instances; those it made stay."""
    found = revoke_provisioner(actor=_actor(request), provisioner_id=provisioner_id)
    messages.success(request, f"The provisioner {found.name} is revoked.")
    return redirect("provisioners")


def _actor(request: HttpRequest) -> str:
    return f"person:{cast(User, request.user).get_username()}"
