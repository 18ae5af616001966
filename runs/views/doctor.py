"""The button that runs the bundled agent."""

from typing import cast

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from runs.access import Role, requires
from runs.services.doctor import start_doctor


@require_POST
@requires(Role.OPERATOR)
def run_doctor(request: HttpRequest) -> HttpResponse:
    """Have the doctor examine the console, and go where its run will appear."""
    actor = f"user:{cast(User, request.user).get_username()}"
    return redirect("request", start_doctor(actor=actor))
