"""The keys that sign grants and delegations: made when first needed, rotated by an admin."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from joserfc.jwk import OKPKey

from agentconsole.logconf import get_logger
from agentconsole.secrets import seal, unseal
from approvals.models import SigningKey
from approvals.services import audit

log = get_logger(__name__)

# A retired key verifies for longer than anything that it signed is good for.
VERIFIES_FOR = timedelta(hours=1)
_PURPOSE = "signing key"


def ensure_signing_key() -> SigningKey:
    """The one key that signs now, made if there is none. Its making takes the audit chain's head."""
    current = _signing()
    if current is not None:
        return current
    with transaction.atomic():
        # Of several processes that find none, the first makes one: the chain's head is a lock that all share.
        audit.locked_head()
        current = _signing()
        if current is None:
            current = _make("console")
    return current


def rotate_signing_key(*, actor: str, is_leaked: bool = False) -> SigningKey:
    """A new key signs from here on. The ones before it verify until what they signed has expired; if they leaked, no longer."""
    with transaction.atomic():
        audit.locked_head()
        now = timezone.now()
        signing = SigningKey.objects.filter(retired_at=None)
        ended = SigningKey.objects.filter(_verifying(now)) if is_leaked else signing
        kids = sorted(ended.values_list("kid", flat=True))
        signing.update(retired_at=now)
        if is_leaked:
            SigningKey.objects.filter(removed_at=None).update(removed_at=now)
        made = _make(actor)
        if kids:
            audit.append(
                "SIGNING_KEY_RETIRED",
                actor=actor,
                object_id=f"key:{made.kid}",
                data={"retired": kids, "is_leaked": is_leaked},
            )
    log.info("SIGNING_KEY_RETIRED", kids=kids, is_leaked=is_leaked, actor=actor)
    return made


def _signing() -> SigningKey | None:
    return SigningKey.objects.filter(retired_at=None).order_by("-created_at").first()


def _make(actor: str) -> SigningKey:
    key = OKPKey.generate_key("Ed25519", private=True)
    private, public = key.as_dict(private=True), key.as_dict(private=False)
    kid = key.thumbprint()
    made = SigningKey.objects.create(
        kid=kid,
        private=seal(str(private["d"]), _PURPOSE),
        public={**public, "kid": kid, "use": "sig", "alg": "Ed25519"},
        created_at=timezone.now(),
        created_by=actor,
    )
    audit.append("SIGNING_KEY_MADE", actor=actor, object_id=f"key:{kid}", data={"kid": kid})
    log.info("SIGNING_KEY_MADE", kid=kid, actor=actor)
    return made


def private_key(kid: str) -> OKPKey:
    """The private key of an id. SigningKey.DoesNotExist, UnsealError."""
    stored = SigningKey.objects.get(kid=kid)
    public: dict[str, Any] = stored.public
    return OKPKey.import_key(
        {"kty": "OKP", "crv": "Ed25519", "x": public["x"], "d": unseal(stored.private, _PURPOSE), "kid": kid}
    )


def public_keys(now: datetime) -> list[dict[str, Any]]:
    """The public JWKs that verify at `now`, oldest first. One query."""
    return list(SigningKey.objects.filter(_verifying(now)).order_by("created_at").values_list("public", flat=True))


def _verifying(now: datetime) -> Q:
    return Q(removed_at=None) & (Q(retired_at=None) | Q(retired_at__gt=now - VERIFIES_FOR))
