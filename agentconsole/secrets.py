"""Sealing: what has to be read back (webhook secrets, signing keys) is kept encrypted under a key that the database has not."""

import base64

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings

from agentconsole.keys import derived_key


class UnsealError(Exception):
    """Sealed text that this console's SECRET_KEY does not open: it was sealed under another one, or for another purpose."""


def seal(text: str, purpose: str) -> str:
    """Encrypt text for one purpose (authenticated: Fernet)."""
    return _fernet(purpose).encrypt(text.encode()).decode("ascii")


def unseal(sealed: str, purpose: str) -> str:
    """The text of `seal`. UnsealError."""
    try:
        return _fernet(purpose).decrypt(sealed.encode("ascii")).decode()
    except (InvalidToken, ValueError) as error:
        raise UnsealError(
            f"What was sealed for {purpose!r} can't be opened: SECRET_KEY is not the one that it was sealed under. Put that one"
            " back, or make anew what was sealed (`manage.py rotate_grant_key` for signing keys)."
        ) from error


def _fernet(purpose: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(bytes.fromhex(derived_key(settings.SECRET_KEY, f"sealed {purpose}"))))
