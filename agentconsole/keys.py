"""Keys: the one a laptop's console makes for itself, and those derived from it."""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from agentconsole.protocol.redaction import register


def kept_secret(path: Path, *, prefix: str = "") -> str:
    """The secret in the file at `path`, made on first use, readable by its owner alone. Redaction knows it.

    Several processes may ask at once: the file appears whole (written aside, then linked), and the first one wins.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(prefix + secrets.token_urlsafe(48), encoding="ascii")
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    secret = path.read_text(encoding="ascii").strip()
    register(secret)
    return secret


def derived_key(secret: str, purpose: str) -> str:
    """A key for one purpose, so that a leak of one says nothing of another (HMAC-SHA256 of the purpose, hex)."""
    return hmac.new(secret.encode(), purpose.encode(), hashlib.sha256).hexdigest()
