"""A person's own settings, and where an admin finds the rest."""

from typing import cast
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from runs.access import Role, requires, visible_environments
from runs.models import Environment
from runs.shell import THEMES

_YEAR_S = 365 * 24 * 3600


@require_GET
@requires(Role.VIEWER)
def settings_page(request: HttpRequest) -> HttpResponse:
    """Account, theme, environments, and the links of an admin."""
    environments = Environment.objects.filter(name__in=visible_environments(request.user)).order_by("name")
    context = {"environments": environments, "retention_days": settings.RETENTION_DAYS}
    return render(request, "runs/settings.html", context)


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
@requires(Role.VIEWER)
def change_password(request: HttpRequest) -> HttpResponse:
    """A new password; this browser stays signed in, the person's other sessions end."""
    form = PasswordChangeForm(cast(User, request.user), request.POST or None)
    if request.method == "POST" and form.is_valid():
        update_session_auth_hash(request, form.save())
        messages.success(
            request, "Your password is changed. Other browsers that you were signed in with are signed out."
        )
        return redirect("settings")
    return render(request, "runs/password.html", {"form": form})


@require_POST
def choose_theme(request: HttpRequest) -> HttpResponse:
    """The theme switch without JavaScript: a cookie, then back to where one was."""
    back = urlsplit(request.headers.get("Referer", ""))
    target = f"{back.path}?{back.query}" if back.query else back.path
    is_ours = url_has_allowed_host_and_scheme(target, allowed_hosts=None)
    response = redirect(target if target and is_ours else "/runs/")
    theme = request.POST.get("theme", "")
    if theme in THEMES:
        response.set_cookie("theme", theme, max_age=_YEAR_S, samesite="Lax", secure=request.is_secure())
    return response
