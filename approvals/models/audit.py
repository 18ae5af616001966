"""The audit log: one chain, gap-free, each entry holding the hash of the one before."""

from django.db import models

HASH_CHARS = 64
GENESIS = "0" * HASH_CHARS


class AuditEntry(models.Model):
    """One step that was taken. `hash` covers everything else of the row, `prev_hash` included.

    `at` is RFC 3339 text and `data` canonical JSON text (RFC 8785): what was hashed is what is stored.
    """

    seq = models.BigIntegerField(primary_key=True)
    prev_hash = models.CharField(max_length=HASH_CHARS)
    hash = models.CharField(max_length=HASH_CHARS, unique=True)
    at = models.CharField(max_length=32)
    actor = models.CharField(max_length=200)
    token = models.CharField(max_length=64)
    object = models.CharField(max_length=200)
    data = models.TextField()

    class Meta:
        indexes = [
            # An action's evidence, in order.
            models.Index(fields=["object", "seq"], name="audit_by_object"),
        ]

    def __str__(self) -> str:
        return f"{self.seq} {self.token}"


class AuditHead(models.Model):
    """The end of the chain: one row, locked by whoever appends."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    seq = models.BigIntegerField(default=0)
    hash = models.CharField(max_length=HASH_CHARS, default=GENESIS)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_audit_head")]

    def __str__(self) -> str:
        return f"head {self.seq}"
