"""Instance credentials: `ac_` and 43 random characters, shown once; the database keeps a keyed hash."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from agentconsole.errors import ConsoleError, NotFoundError, UnauthorizedError
from agentconsole.logconf import get_logger
from runs.models import Agent, AgentInstance, Environment

log = get_logger(__name__)

PREFIX = "ac_"
_SHOWN = 9
_LAST_USE_STEP = timedelta(minutes=1)


class InstanceExistsError(ConsoleError):
    """The agent has a live instance of that name."""

    code = "instance_exists"
    http_status = 409
    title = "That name is taken"


class InvalidNameError(ConsoleError):
    """An environment, agent or instance name of another form than `runs.models.agents.NAME_PATTERN`."""

    code = "invalid_name"
    title = "That name can't be used"


@dataclass(frozen=True, slots=True)
class Issued:
    """A new credential. `token` exists nowhere else: show it once."""

    instance: AgentInstance
    token: str


def token_hash(token: str) -> str:
    """The keyed hash (HMAC-SHA256, hex) under which a token is kept and found."""
    return hmac.new(settings.CREDENTIAL_KEY.encode(), token.encode(), hashlib.sha256).hexdigest()


def issue_credential(
    *, actor: str, environment: str, agent: str, instance: str, expires_at: datetime | None = None
) -> Issued:
    """A credential for a new instance; the agent is made where it is new, the environment must exist.

    NotFoundError, InvalidNameError, InstanceExistsError.
    """
    found = Environment.objects.filter(name=environment).first()
    if found is None:
        raise NotFoundError(f"There is no environment {environment!r}. An admin makes one under Settings.")
    token = PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        owner = Agent.objects.filter(environment=found, name=agent).first() or Agent(environment=found, name=agent)
        made = AgentInstance(
            name=instance,
            token_hash=token_hash(token),
            token_prefix=token[:_SHOWN],
            created_by=actor,
            expires_at=expires_at,
        )
        _validate(owner, made)
        owner.save()
        made.agent = owner
        try:
            with transaction.atomic():
                made.save(force_insert=True)
        except IntegrityError as error:
            raise InstanceExistsError(
                f"{agent} has an instance {instance!r} in {environment}. Rotate its credential, or choose another name."
            ) from error
    log.info("CREDENTIAL_ISSUED", actor=actor, environment=environment, agent=agent, instance=instance)
    return Issued(made, token)


def _validate(agent: Agent, instance: AgentInstance) -> None:
    try:
        agent.clean_fields(exclude=["environment"])
        instance.clean_fields(exclude=["agent", "startup"])
    except ValidationError as error:
        raise InvalidNameError(" ".join(error.messages)) from error


def revoke_credential(*, actor: str, instance_id: int) -> AgentInstance:
    """The instance's credential opens nothing from now on. Revoking twice is harmless. NotFoundError."""
    with transaction.atomic():
        instance = _locked(instance_id)
        if instance.revoked_at is None:
            instance.revoked_at, instance.revoked_by = timezone.now(), actor
            instance.save(update_fields=["revoked_at", "revoked_by"])
            log.info("CREDENTIAL_REVOKED", actor=actor, agent=instance.agent.name, instance=instance.name)
    return instance


def rotate_credential(*, actor: str, instance_id: int) -> Issued:
    """A new credential for the same agent and instance name; the old one is revoked in the same transaction."""
    with transaction.atomic():
        old = revoke_credential(actor=actor, instance_id=instance_id)
        return issue_credential(
            actor=actor,
            environment=old.agent.environment_id,
            agent=old.agent.name,
            instance=old.name,
            expires_at=old.expires_at,
        )


def _locked(instance_id: int) -> AgentInstance:
    instance = (
        AgentInstance.objects.select_for_update(of=("self",)).select_related("agent").filter(id=instance_id).first()
    )
    if instance is None:
        raise NotFoundError("There is no such instance.")
    return instance


def authenticate_instance(authorization: str) -> AgentInstance:
    """The instance whose credential an `Authorization: Bearer …` header carries. One query.

    UnauthorizedError says which of the three it was (missing, unknown, no longer valid) but nothing of the instance.
    """
    scheme, _, token = authorization.partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise UnauthorizedError(
            "No credential. Send `Authorization: Bearer <instance credential>`; an admin makes one under Agents.",
            headers={"WWW-Authenticate": "Bearer"},
        )
    instance = AgentInstance.objects.select_related("agent").filter(token_hash=token_hash(token)).first()
    now = timezone.now()
    if instance is None or not instance.is_usable(now):
        state = "unknown" if instance is None else "revoked" if instance.revoked_at else "expired"
        log.warning("CREDENTIAL_REFUSED", state=state, instance=instance.name if instance else None)
        raise UnauthorizedError(
            f"This credential is {state}. Ask an admin of this console for a new one.",
            headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
        )
    if instance.last_used_at is None or now - instance.last_used_at > _LAST_USE_STEP:
        AgentInstance.objects.filter(id=instance.id).update(last_used_at=now)
    return instance
