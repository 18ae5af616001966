"""Instances over HTTP: made, read, changed and retired with a provisioner's token."""

import json
from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpRequest, HttpResponse

from agentconsole import ratelimit
from agentconsole.errors import ConsoleError
from agentconsole.protocol.fingerprint import canonical_json, digest_of
from approvals.aap.calls import aap_call, answered, body_of
from approvals.aap.wire import InvalidRequestError, fields_in, idempotency_key_in, object_in, wrong
from approvals.models import Provisioner
from approvals.services.provisioners import authenticate_provisioner
from approvals.services.provisioning import (
    Wanted,
    delete_instance,
    instance_shape,
    no_such_instance,
    provision,
    provisioned_of,
    update_instance,
)
from approvals.services.receivers import Delivery
from approvals.webhooks.signing import is_secret

RATE = 30
NAME_MAX = 200


class UnsupportedDeliveryError(ConsoleError):
    """A kind of delivery other than webhooks."""

    code: ClassVar[str] = "unsupported_delivery_type"
    http_status: ClassVar[int] = 400
    title: ClassVar[str] = "Only webhooks are delivered"


def _provisioner(request: HttpRequest) -> Provisioner:
    found = authenticate_provisioner(request.headers.get("Authorization", ""))
    ratelimit.spend(f"provision:{found.id}", limit=RATE)
    return found


def create(request: HttpRequest) -> HttpResponse:
    """`POST /v1/instances`."""
    provisioner = _provisioner(request)
    key = idempotency_key_in(request.headers.get("Idempotency-Key"))
    wanted = wanted_in(body_of(request))
    if wanted.is_delivery_given and wanted.delivery is None:
        raise wrong("delivery", "is an object; leave it out for an instance without a receiver")
    made = provision(provisioner=provisioner, wanted=wanted, idempotency_key=key)
    return answered(json.dumps(made.result), 201 if made.is_new else 200)


def read(request: HttpRequest, instance_id: str) -> HttpResponse:
    """`GET /v1/instances/{id}`."""
    return answered(json.dumps(instance_shape(provisioned_of(_provisioner(request), _id(instance_id)))))


def update(request: HttpRequest, instance_id: str) -> HttpResponse:
    """`PATCH /v1/instances/{id}`."""
    provisioner = _provisioner(request)
    key = idempotency_key_in(request.headers.get("Idempotency-Key"))
    wanted = wanted_in(body_of(request))
    if wanted.name is None and not wanted.is_delivery_given:
        raise InvalidRequestError("Send instance_name, delivery or both.")
    result = update_instance(provisioner=provisioner, instance_id=_id(instance_id), wanted=wanted, idempotency_key=key)
    return answered(json.dumps(result))


def delete(request: HttpRequest, instance_id: str) -> HttpResponse:
    """`DELETE /v1/instances/{id}`."""
    delete_instance(provisioner=_provisioner(request), instance_id=_id(instance_id))
    return HttpResponse(status=204)


def wanted_in(body: bytes) -> Wanted:
    """What a body asks for. InvalidRequestError, UnsupportedDeliveryError."""
    sent = object_in(body)
    digest = digest_of(canonical_json(sent))
    is_removal = "delivery" in sent and sent["delivery"] is None
    given = {name: value for name, value in sent.items() if not (name == "delivery" and is_removal)}
    fields = fields_in(given, {"instance_name": str, "delivery": dict}, ())
    name = fields.get("instance_name")
    if name is not None and not (0 < len(name) <= NAME_MAX and name.isprintable()):
        raise wrong("instance_name", f"is a text of 1 to {NAME_MAX} characters, all of them visible")
    delivery = _delivery(fields["delivery"]) if "delivery" in fields else None
    return Wanted(name=name, delivery=delivery, is_delivery_given="delivery" in sent, digest=digest)


def _delivery(sent: dict[str, Any]) -> Delivery:
    known = {"type": str, "url": str, "registration_id": str, "signing_secret": str}
    if sent.get("type") not in (None, "webhook"):
        raise UnsupportedDeliveryError("Only delivery of type webhook is supported.", param="delivery.type")
    fields = fields_in(sent, known, tuple(known), "delivery.")
    if not is_secret(fields["signing_secret"]):
        raise wrong("delivery.signing_secret", "is whsec_ and 32 random bytes in base64")
    try:
        registration = UUID(fields["registration_id"])
    except ValueError as error:
        raise wrong("delivery.registration_id", "is a UUID") from error
    return Delivery(url=fields["url"], registration_id=registration, signing_secret=fields["signing_secret"])


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise no_such_instance() from error


instances = aap_call(POST=create)
instance = aap_call(GET=read, HEAD=read, PATCH=update, DELETE=delete)
