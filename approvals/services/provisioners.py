"""Provisioner tokens: `acp_` and 43 random characters, shown once; the database keeps a keyed hash."""

import secrets
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils import timezone

from agentconsole.errors import ForbiddenError, NotFoundError, UnauthorizedError
from agentconsole.logconf import get_logger
from approvals.models import Provisioner
from approvals.services import audit
from runs.models import Agent, Environment
from runs.models.agents import valid_name
from runs.services.credentials import PREFIX as INSTANCE_PREFIX
from runs.services.credentials import InstanceExistsError, token_hash

log = get_logger(__name__)

PREFIX = "acp_"
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class IssuedProvisioner:
    """A new provisioner. `token` exists nowhere else: show it once."""

    provisioner: Provisioner
    token: str


def issue_provisioner(
    *, actor: str, environment: str, agent: str, name: str, expires_at: datetime | None = None
) -> IssuedProvisioner:
    """A token that makes instances of one agent in one environment. NotFoundError, InstanceExistsError, ValidationError."""
    if not Environment.objects.filter(name=environment).exists():
        raise NotFoundError(f"There is no environment {environment!r}. An admin makes one under Settings.")
    for text in (agent, name):
        valid_name(text)
    token = PREFIX + secrets.token_urlsafe(32)
    try:
        with transaction.atomic():
            owner, _made = Agent.objects.get_or_create(environment_id=environment, name=agent)
            provisioner = Provisioner.objects.create(
                name=name, agent=owner, token_hash=token_hash(token), token_prefix=token[:_SHOWN],
                created_at=timezone.now(), created_by=actor, expires_at=expires_at,
            )  # fmt: skip
            audit.append(
                "PROVISIONER_ISSUED",
                actor=actor,
                object_id=f"provisioner:{provisioner.id}",
                data={"name": name, "agent": agent, "environment": environment},
            )
    except IntegrityError as error:
        raise InstanceExistsError(
            f"{agent} has a provisioner {name!r} in {environment}. Choose another name."
        ) from error
    log.info("PROVISIONER_ISSUED", actor=actor, name=name, agent=agent, environment=environment)
    return IssuedProvisioner(provisioner, token)


def revoke_provisioner(*, actor: str, provisioner_id: int) -> Provisioner:
    """Its token opens nothing from now on; what it made stays. NotFoundError."""
    with transaction.atomic():
        found = Provisioner.objects.select_for_update().filter(id=provisioner_id).first()
        if found is None:
            raise NotFoundError("There is no such provisioner.")
        if found.revoked_at is None:
            found.revoked_at, found.revoked_by = timezone.now(), actor
            found.save(update_fields=["revoked_at", "revoked_by"])
            audit.append("PROVISIONER_REVOKED", actor=actor, object_id=f"provisioner:{found.id}", data={})
            log.info("PROVISIONER_REVOKED", actor=actor, name=found.name)
    return found


def authenticate_provisioner(authorization: str) -> Provisioner:
    """The provisioner whose token came along. UnauthorizedError; ForbiddenError for an instance's credential."""
    scheme, _, token = authorization.partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise UnauthorizedError("No provisioner token. Send `Authorization: Bearer acp_…`; an admin makes one.")
    if token.startswith(INSTANCE_PREFIX):
        raise ForbiddenError("An instance credential can't manage instances. Use a provisioner token.")
    found = Provisioner.objects.select_related("agent").filter(token_hash=token_hash(token)).first()
    now = timezone.now()
    if found is None or not _is_usable(found, now):
        log.warning("CREDENTIAL_REFUSED", state="provisioner")
        raise _refused()
    Provisioner.objects.filter(id=found.id).update(last_used_at=now)
    return found


def still_usable(provisioner: Provisioner) -> None:
    """Hold its row to the end of the transaction: a receiver took its time, and the token may be revoked. UnauthorizedError."""
    found = Provisioner.objects.select_for_update().filter(id=provisioner.id).first()
    if found is None or not _is_usable(found, timezone.now()):
        raise _refused()


def _is_usable(provisioner: Provisioner, now: datetime) -> bool:
    return provisioner.revoked_at is None and (provisioner.expires_at is None or now < provisioner.expires_at)


def _refused() -> UnauthorizedError:
    return UnauthorizedError("This provisioner token is unknown, expired or revoked. Ask an admin for a new one.")
