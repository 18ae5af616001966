"""What a console needs before anybody can use it. Everything here may be run again, on a console of any age."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.db import transaction

from runs.models import AgentInstance, Environment
from runs.services.credentials import issue_credential, rotate_credential, token_hash

GROUPS = ("viewer", "operator", "admin")
ENVIRONMENTS = ("dev", "staging", "prod")
DOCTOR = "doctor"
DOCTOR_INSTANCE = "bundled"


@dataclass(frozen=True, slots=True)
class FirstAdmin:
    """The account made on an empty console. The password exists nowhere else: show it once."""

    username: str
    password: str


def make_groups_and_environments() -> None:
    """The three roles, and the usual environments where there is none at all (an admin may have deleted some)."""
    with transaction.atomic():
        for name in GROUPS:
            Group.objects.get_or_create(name=name)
        if not Environment.objects.exists():
            Environment.objects.bulk_create(Environment(name=name) for name in ENVIRONMENTS)


def make_first_admin(username: str = "admin") -> FirstAdmin | None:
    """An admin with a generated password, where there is no user yet; None where there is one."""
    with transaction.atomic():
        if User.objects.exists():
            return None
        password = secrets.token_urlsafe(15)
        person = User.objects.create_superuser(username=username, password=password)
        person.groups.add(Group.objects.get(name="admin"))
    return FirstAdmin(username, password)


def keep_doctor_credential(path: Path) -> None:
    """The bundled agent's credential lies in the file at `path`, readable by its owner alone, and works.

    A file without its row (a new database) or a row without its file (a cleaned folder) gets a new credential.
    """
    kept = path.read_text(encoding="ascii").strip() if path.exists() else ""
    if kept and AgentInstance.objects.filter(token_hash=token_hash(kept), revoked_at=None).exists():
        return
    environment = "prod" if settings.IS_PROD else "dev"
    with transaction.atomic():
        Environment.objects.get_or_create(name=environment)
        instance = AgentInstance.objects.filter(
            agent__name=DOCTOR, agent__environment=environment, name=DOCTOR_INSTANCE, revoked_at=None
        ).first()
        if instance is not None:
            issued = rotate_credential(actor="console", instance_id=instance.pk)
        else:
            issued = issue_credential(actor="console", environment=environment, agent=DOCTOR, instance=DOCTOR_INSTANCE)
        _write_private(path, issued.token)


def _write_private(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(text, encoding="ascii")
    draft.replace(path)
