"""What stands where a secret was, and what is told of it."""

import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import Any

OPENING = "[REDACTED:"
_SCHEME = re.compile(r"(?i)\A(?:bearer|basic|token|apikey)\s+")


@dataclass(frozen=True, slots=True)
class Hit:
    """One secret that was taken out: which detector found it, and where (`arguments.headers.0`).

    `digest` tells whether two hits are of one secret. It is never stored, sent or shown as it is: short secrets could be guessed from it.
    """

    detector: str
    place: str
    digest: bytes = field(default=b"", repr=False, compare=False)


def hit(detector: str, place: str, secret: Any) -> Hit:
    """The hit of a secret, text or any JSON. The scheme before it is not part of it (`Bearer …`)."""
    text = secret if isinstance(secret, str) else json.dumps(secret, sort_keys=True, default=str)
    return Hit(detector, place, hashlib.sha256(_SCHEME.sub("", text.strip()).encode("utf-8", "replace")).digest())


def marker(detector: str) -> str:
    """What stands where the secret was."""
    return f"{OPENING}{detector}]"


def is_marked(text: str) -> bool:
    """Whether a text begins with the marker of a secret that was taken out before."""
    return text.startswith(OPENING)
