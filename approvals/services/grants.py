"""Grants: the signed proof of a claim, for the tool server that holds the credentials."""

import json
import uuid
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone
from joserfc import jws

from approvals.models import Action
from approvals.services.keys import ensure_signing_key, private_key, public_keys

GRANT_TYPE = "acg+jwt"
# The fully specified name (RFC 9864); `EdDSA` is deprecated.
ALGORITHM = "Ed25519"


def grant_for(action: Action, *, fingerprint: str, now: datetime, approved_fingerprint: str = "") -> dict[str, Any]:
    """The claims of a grant, `kid` among them. `aud` is the tool's server, else the tool: whoever is to carry it out.

    Its time runs from the claim, which was in time; the approval's start-by time does not shorten it.
    """
    issued = int(now.timestamp())
    claims = {
        "kid": ensure_signing_key().kid,
        "iss": settings.CONSOLE_URL,
        "aud": action.server or action.tool,
        "jti": str(uuid.uuid4()),
        "iat": issued,
        "exp": issued + settings.GRANT_TTL_S,
        "environment": action.environment_id,
        "agent": action.agent.name,
        "instance": action.instance.name,
        "on_behalf_of": action.on_behalf_of,
        "request_id": action.request_id,
        "action_id": str(action.id),
        "fingerprint": fingerprint,
    }
    return {**claims, "approved_fingerprint": approved_fingerprint} if approved_fingerprint else claims


def sign_grant(claims: dict[str, Any]) -> str:
    """The compact JWS of a grant's claims. Ed25519 is deterministic: the same claims give the same text."""
    return sign_claims(claims, GRANT_TYPE)


def sign_claims(claims: dict[str, Any], kind: str) -> str:
    """A compact JWS of type `kind`, signed with the key that the claims' `kid` names."""
    header = {"alg": ALGORITHM, "kid": claims["kid"], "typ": kind}
    payload = {name: value for name, value in claims.items() if name != "kid"}
    text = json.dumps(payload, separators=(",", ":"), sort_keys=True)
    return jws.serialize_compact(header, text, private_key(claims["kid"]), algorithms=[ALGORITHM])


def jwks() -> dict[str, Any]:
    """The public keys that verify now, as a JWK set. One query."""
    return {"keys": public_keys(timezone.now())}
