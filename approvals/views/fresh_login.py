"""Whether the person at the keyboard has just proven to be who the session says."""

import time
from typing import cast
from uuid import UUID

from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.http import HttpRequest

from agentconsole import ratelimit
from approvals.services.deciding import actor_of
from approvals.services.fresh_logins import WrongPasswordError
from approvals.services.refusals import refusals_audited

WINDOW_S = 300
_KEY = "password_confirmed_at"


def is_fresh(request: HttpRequest) -> bool:
    """Whether the password was entered within the last five minutes of this session."""
    return bool(time.time() - request.session.get(_KEY, 0) < WINDOW_S)


def confirm_password(request: HttpRequest, token: str, about: UUID | str) -> bool:
    """Take the form's password, if it has one; whether the session is fresh now. WrongPasswordError, RateLimitedError: both are in
    the audit chain as `token`, as whoever sits at the keyboard may not be who signed in.

    The session gets another key: one that was planted or copied before is worth nothing after.
    """
    password = request.POST.get("password", "")
    if not password:
        return is_fresh(request)
    person = cast(User, request.user)
    with refusals_audited(token, actor=actor_of(person), about=about):
        ratelimit.spend(f"confirm:{person.pk}", limit=settings.LOGIN_RATE, window_s=60)
        if authenticate(request, username=person.get_username(), password=password) != person:
            raise WrongPasswordError("That password is wrong. Nothing was changed.")
    request.session.cycle_key()
    request.session[_KEY] = time.time()
    return True
