"""Instances that programs make, change and retire for themselves; each receiver proves first that it wants to be called."""

import json
import re
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from agentconsole.errors import ConsoleError, NotFoundError
from agentconsole.logconf import get_logger
from agentconsole.secrets import seal, unseal
from approvals.models import InstanceUpdate, ProvisionedInstance, Provisioner, WebhookReceiver
from approvals.services import audit
from approvals.services.asking import IdempotencyConflictError
from approvals.services.ending import cancel_all_of
from approvals.services.notifications import end_notifications
from approvals.services.provisioners import still_usable
from approvals.services.receivers import Delivery, put_receiver, verify_receiver
from approvals.services.turns import turn_of
from runs.models import AgentInstance
from runs.queries.shapes import iso
from runs.services.credentials import issue_credential, revoke_credential

log = get_logger(__name__)

KEPT_FOR = timedelta(hours=168)
_RESULT = "provisioning result"
_UNSLUG = re.compile(r"[^a-z0-9._-]+")


class InstanceDeletedError(ConsoleError):
    """A retry of what made an instance that is retired by now."""

    code: ClassVar[str] = "instance_deleted"
    http_status: ClassVar[int] = 409
    title: ClassVar[str] = "That instance is retired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a provisioner asks for. `is_delivery_given` tells an absent `delivery` from one that is null."""

    name: str | None = None
    delivery: Delivery | None = None
    is_delivery_given: bool = False
    digest: str


@dataclass(frozen=True, slots=True)
class Provisioned:
    """The answer to a provisioning, and whether this call made the instance."""

    result: dict[str, Any]
    is_new: bool


def provision(*, provisioner: Provisioner, wanted: Wanted, idempotency_key: str) -> Provisioned:
    """Make an instance, its receiver verified first. The same key and fields again: the same answer, credential included.

    IdempotencyConflictError, InstanceDeletedError, InProgressError, and what `verify_receiver` raises.
    """
    mine = ProvisionedInstance.objects.filter(provisioner=provisioner, idempotency_key=idempotency_key)
    with turn_of(f"provision:{provisioner.id}:{idempotency_key}"):
        made = mine.first()
        if made is not None:
            return _replayed(made, wanted)
        instance_id = uuid.uuid4()
        if wanted.delivery is not None:
            verify_receiver(wanted.delivery, instance_id)
        try:
            return Provisioned(_make(provisioner, wanted, idempotency_key, instance_id), is_new=True)
        except IntegrityError:
            # Turns are taken in a cache, which may forget; the database doesn't.
            made = mine.first()
            if made is None:
                raise
            return _replayed(made, wanted)


def _replayed(made: ProvisionedInstance, wanted: Wanted) -> Provisioned:
    if made.submission_digest != wanted.digest:
        raise IdempotencyConflictError("This Idempotency-Key made another instance. Use a new key for another one.")
    if made.deleted_at is not None:
        raise InstanceDeletedError("The instance that this key made is retired. Use a new key for a new one.")
    if not made.sealed_result:
        raise IdempotencyConflictError(
            "This Idempotency-Key is older than a week: its credential can't be shown again."
        )
    return Provisioned(json.loads(unseal(made.sealed_result, _RESULT)), is_new=False)


def _make(provisioner: Provisioner, wanted: Wanted, key: str, instance_id: UUID) -> dict[str, Any]:
    agent = provisioner.agent
    shown = wanted.name or f"instance-{str(instance_id)[:8]}"
    actor = f"provisioner:{provisioner.name}"
    with transaction.atomic():
        still_usable(provisioner)
        issued = issue_credential(
            actor=actor, environment=agent.environment_id, agent=agent.name, instance=_slug(shown, instance_id)
        )
        made = ProvisionedInstance(
            id=instance_id, provisioner=provisioner, instance=issued.instance, display_name=shown,
            idempotency_key=key, submission_digest=wanted.digest, created_at=timezone.now(), sealed_result="",
        )  # fmt: skip
        if wanted.delivery is not None:
            put_receiver(issued.instance, wanted.delivery)
        credential = {"token": issued.token}
        if issued.instance.expires_at is not None:
            credential["expires_at"] = iso(issued.instance.expires_at)
        result = {"instance": instance_shape(made), "credential": credential}
        made.sealed_result = seal(json.dumps(result), _RESULT)
        made.save(force_insert=True)
        audit.append(
            "INSTANCE_PROVISIONED",
            actor=actor,
            object_id=f"instance:{instance_id}",
            data={"agent": agent.name, "environment": agent.environment_id, "instance": issued.instance.name},
        )
    log.info("INSTANCE_PROVISIONED", instance_id=str(instance_id), agent=agent.name, instance=issued.instance.name)
    return result


def instance_shape(made: ProvisionedInstance) -> dict[str, Any]:
    """The protocol's instance object. Never a secret."""
    receiver = WebhookReceiver.objects.filter(instance_id=made.instance_id).first()
    shape: dict[str, Any] = {"id": str(made.id), "name": made.display_name}
    if receiver is not None:
        shape["delivery"] = {
            "type": "webhook", "url": receiver.url, "registration_id": str(receiver.registration_id),
        }  # fmt: skip
    return shape


def provisioned_of(provisioner: Provisioner, instance_id: UUID) -> ProvisionedInstance:
    """An instance that the provisioner made and that is not retired. NotFoundError."""
    made = ProvisionedInstance.objects.filter(
        id=instance_id, provisioner__agent_id=provisioner.agent_id, deleted_at=None
    ).first()
    if made is None:
        raise no_such_instance()
    return made


def update_instance(
    *, provisioner: Provisioner, instance_id: UUID, wanted: Wanted, idempotency_key: str
) -> dict[str, Any]:
    """Give an instance another name or receiver, all or nothing. The same key and fields again: the first answer, applied once.

    NotFoundError, IdempotencyConflictError, InProgressError, and what `verify_receiver` raises.
    """
    made = provisioned_of(provisioner, instance_id)
    with turn_of(f"update:{provisioner.id}:{made.id}:{idempotency_key}"):
        before = made.updates.filter(idempotency_key=idempotency_key).first()
        if before is not None:
            return _update_replayed(before, wanted)
        if wanted.delivery is not None:
            verify_receiver(wanted.delivery, made.id)
        return _update(provisioner, made, wanted, idempotency_key)


def _update(provisioner: Provisioner, made: ProvisionedInstance, wanted: Wanted, key: str) -> dict[str, Any]:
    data = {"renamed": wanted.name is not None, "delivery": wanted.is_delivery_given}
    with transaction.atomic():
        still_usable(provisioner)
        locked = AgentInstance.objects.select_for_update().get(id=made.instance_id)
        made = provisioned_of(provisioner, made.id)
        before = made.updates.filter(idempotency_key=key).first()
        if before is not None:
            return _update_replayed(before, wanted)
        _apply(made, locked, wanted)
        result = instance_shape(made)
        InstanceUpdate.objects.create(
            provisioned=made, idempotency_key=key, submission_digest=wanted.digest, result=result, at=timezone.now()
        )
        actor = f"provisioner:{provisioner.name}"
        audit.append("INSTANCE_UPDATED", actor=actor, object_id=f"instance:{made.id}", data=data)
    log.info("INSTANCE_UPDATED", instance_id=str(made.id), **data)
    return result


def _apply(made: ProvisionedInstance, instance: AgentInstance, wanted: Wanted) -> None:
    if wanted.name is not None:
        made.display_name = wanted.name
        made.save(update_fields=["display_name"])
    if wanted.delivery is not None:
        put_receiver(instance, wanted.delivery)
    elif wanted.is_delivery_given:
        WebhookReceiver.objects.filter(instance=instance).delete()
        end_notifications(instance=instance, reason="the receiver was removed")


def _update_replayed(before: InstanceUpdate, wanted: Wanted) -> dict[str, Any]:
    if before.submission_digest != wanted.digest:
        raise IdempotencyConflictError("This Idempotency-Key made another update. Use a new key for another one.")
    result: dict[str, Any] = before.result
    return result


def delete_instance(*, provisioner: Provisioner, instance_id: UUID) -> None:
    """Retire an instance: its credential, what it has pending, its notifications, at once. Again: the same. NotFoundError."""
    actor = f"provisioner:{provisioner.name}"
    with transaction.atomic():
        still_usable(provisioner)
        made = ProvisionedInstance.objects.filter(id=instance_id, provisioner__agent_id=provisioner.agent_id).first()
        if made is None:
            raise no_such_instance()
        if made.deleted_at is not None:
            return
        cancelled = sum(_retire(each, actor) for each in _namesakes(made))
        made.deleted_at, made.sealed_result = timezone.now(), ""
        made.save(update_fields=["deleted_at", "sealed_result"])
        audit.append("INSTANCE_DELETED", actor=actor, object_id=f"instance:{made.id}", data={"cancelled": cancelled})
    log.info("INSTANCE_DELETED", instance_id=str(instance_id), cancelled=cancelled)


def _namesakes(made: ProvisionedInstance) -> list[AgentInstance]:
    """Its instance and those that took its place when an admin rotated its credential: each is a row of the same name."""
    return list(AgentInstance.objects.filter(agent=made.instance.agent, name=made.instance.name).order_by("id"))


def _retire(instance: AgentInstance, actor: str) -> int:
    # Locks the instance's row, which whoever asks locks too: nothing new can become pending behind this.
    revoke_credential(actor=actor, instance_id=instance.id)
    cancelled = cancel_all_of(instance=instance, notify=False)
    WebhookReceiver.objects.filter(instance=instance).delete()
    end_notifications(instance=instance, reason="the instance was deleted")
    return cancelled


def _slug(name: str, instance_id: UUID) -> str:
    """A name of the console's form, unique by its end."""
    bare = _UNSLUG.sub("-", name.lower()).strip("-._")[:50] or "instance"
    return f"{bare}-{str(instance_id)[:8]}"


def no_such_instance() -> NotFoundError:
    """The error for what is not there, and for what another's is."""
    return NotFoundError("There is no such instance within this provisioner's scope.")


def forget_old_results() -> int:
    """Take credentials out of results that are past their retention, and forget old updates; how many were emptied."""
    limit = timezone.now() - KEPT_FOR
    InstanceUpdate.objects.filter(at__lt=limit).delete()
    return ProvisionedInstance.objects.exclude(sealed_result="").filter(created_at__lt=limit).update(sealed_result="")
