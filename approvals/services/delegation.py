"""Delegation: a signed word of the console that a person came in by one of its doors and sent this agent on."""

import json
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, cast

from django.contrib.auth.models import User
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from agentconsole.errors import ConsoleError
from agentconsole.logconf import get_logger
from approvals.services.grants import ALGORITHM, sign_claims
from approvals.services.keys import ensure_signing_key, public_keys

log = get_logger(__name__)

DELEGATION_TYPE = "acd+jwt"
TTL_S = 600


class DelegationError(ConsoleError):
    """A delegation token that proves nothing here. `reason` tells forged from expired from somebody else's."""

    code: ClassVar[str] = "invalid_delegation"
    http_status: ClassVar[int] = 400
    title: ClassVar[str] = "That delegation proves nothing"


@dataclass(frozen=True, slots=True)
class Delegation:
    """Who sent the agent, proven. `person` is their user name."""

    person: str
    request_id: str
    delegation_id: str


def mint_delegation(*, person: User, agent: str, environment: str, request_id: str, now: datetime) -> str:
    """A token for one person, one agent, one request, good for TTL_S seconds."""
    issued = int(now.timestamp())
    claims = {
        "kid": ensure_signing_key().kid,
        "jti": str(uuid.uuid4()),
        "sub": person.username,
        "agent": agent,
        "environment": environment,
        "request_id": request_id,
        "iat": issued,
        "exp": issued + TTL_S,
    }
    log.info("DELEGATION_MINTED", person=person.username, agent=agent, delegation_id=claims["jti"])
    return sign_claims(claims, DELEGATION_TYPE)


def read_delegation(token: str, *, agent: str, environment: str, now: datetime, request_id: str = "") -> Delegation:
    """What a token proves for this agent, in this environment and, if both name one, for this request.

    DelegationError: without a token the delegation is merely claimed, with a bad one the request is refused.
    """
    try:
        return _read(token, agent=agent, environment=environment, now=now, request_id=request_id)
    except DelegationError as error:
        log.warning("DELEGATION_REFUSED", reason=error.data["reason"], agent=agent, environment=environment)
        raise


def _read(token: str, *, agent: str, environment: str, now: datetime, request_id: str) -> Delegation:
    claims = _verified(token, now)
    if claims["exp"] <= now.timestamp():
        raise _refused("expired", "it has expired; the person has to send the agent anew")
    if (claims["agent"], claims["environment"]) != (agent, environment):
        raise _refused("not_yours", "it was given to another agent, or in another environment")
    if request_id and claims["request_id"] not in ("", request_id):
        raise _refused("other_request", "it was given for another request")
    if not User.objects.filter(username=claims["sub"], is_active=True).exists():
        raise _refused("no_such_person", "its person has no account here any more")
    return Delegation(claims["sub"], claims["request_id"], claims["jti"])


def _verified(token: str, now: datetime) -> dict[str, Any]:
    try:
        keys = KeySet.import_key_set({"keys": public_keys(now)})
        found = jws.deserialize_compact(token, keys, algorithms=[ALGORITHM])
        claims = json.loads(found.payload)
    # TypeError, RecursionError: headers that no signer writes, read before the signature is.
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise _refused("forged", "its signature is none of this console's") from error
    # One key signs grants too.
    if found.protected.get("typ") != DELEGATION_TYPE:
        raise _refused("wrong_type", "it is no delegation token")
    return cast(dict[str, Any], claims)


def _refused(reason: str, why: str) -> DelegationError:
    return DelegationError(f"The delegation token proves nothing: {why}. Leave it out to ask without.", reason=reason)
