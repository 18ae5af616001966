"""Standard Webhooks, v1: HMAC-SHA256 over id, time and body. Pure."""

import base64
import hashlib
import hmac
import re

SECRET_PREFIX = "whsec_"  # noqa: S105  a prefix, no secret
_SECRET = re.compile(r"whsec_[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=")


def is_secret(text: str) -> bool:
    """Whether text is `whsec_` and 32 bytes in canonical base64."""
    return _SECRET.fullmatch(text) is not None


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The `webhook-signature` of one attempt."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    digest = hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode("ascii")
