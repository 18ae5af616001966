"""The hash of an audit entry: SHA-256 over RFC 8785 of everything else in its row. Pure."""

import hashlib

import rfc8785

from approvals.models import AuditEntry

FIELDS = ("seq", "prev_hash", "at", "actor", "token", "object", "data")


def entry_hash(entry: AuditEntry) -> str:
    """The hash (hex) that the entry must carry."""
    return hashlib.sha256(rfc8785.dumps({name: getattr(entry, name) for name in FIELDS})).hexdigest()
