"""Who may see and do what: roles by group, environments by membership. Every page and socket asks here."""

import uuid
from collections.abc import Callable
from enum import IntEnum
from functools import wraps
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.contrib.auth.views import redirect_to_login
from django.db.models import Q
from django.http import HttpRequest, HttpResponse

from agentconsole.errors import ForbiddenError, NotFoundError
from runs.models import Environment, Run

View = Callable[..., HttpResponse]


class Role(IntEnum):
    """What a person may do, each including the one before: look; act on runs and approvals; manage people and credentials."""

    NOBODY = 0
    VIEWER = 1
    OPERATOR = 2
    ADMIN = 3


_GROUPS = {"viewer": Role.VIEWER, "operator": Role.OPERATOR, "admin": Role.ADMIN}


def role_of(person: AbstractBaseUser | AnonymousUser) -> Role:
    """The highest role of a person's groups; superusers are admins. One query."""
    if not isinstance(person, User) or not person.is_active:
        return Role.NOBODY
    if person.is_superuser:
        return Role.ADMIN
    names = person.groups.values_list("name", flat=True)
    return max((_GROUPS.get(name, Role.NOBODY) for name in names), default=Role.NOBODY)


def visible_environments(person: AbstractBaseUser | AnonymousUser) -> list[str]:
    """The names of the environments that a person may look into, sorted. Two queries at most."""
    role = role_of(person)
    if role is Role.NOBODY:
        return []
    environments = Environment.objects.order_by("name")
    if role is not Role.ADMIN:
        environments = environments.filter(Q(is_restricted=False) | Q(members=person.pk)).distinct()
    return list(environments.values_list("name", flat=True))


def run_for(person: AbstractBaseUser | AnonymousUser, run_id: uuid.UUID) -> Run:
    """The run, with its agent and instance, if the person may see it. NotFoundError else, whether it exists or not."""
    run = Run.objects.filter(id=run_id).select_related("agent", "instance").first()
    if run is None or run.environment_id not in visible_environments(person):
        raise NotFoundError("There is no such run, or it is in an environment that you can't see.")
    return run


def environment_of_list(person: AbstractBaseUser | AnonymousUser, name: str) -> str:
    """The environment that the live list `prefix:<environment>` shows, if the person may see it. NotFoundError else."""
    environment = name.partition(":")[2]
    if environment not in visible_environments(person):
        raise NotFoundError("There is no such topic, or it shows an environment that you can't see.")
    return environment


def requires(role: Role) -> Callable[[View], View]:
    """Decorator of a view: signed in (else to the login page) and at least of this role (else ForbiddenError)."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            if role_of(request.user) < role:
                raise ForbiddenError(
                    f"This needs the role {role.name.lower()}. Ask an admin of this console to add you to that group."
                )
            return view(request, *args, **kwargs)

        return guarded

    return decorate
