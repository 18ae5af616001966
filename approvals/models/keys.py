"""The keys that grants and delegations are signed with."""

from django.db import models


class SigningKey(models.Model):
    """An Ed25519 key pair. The newest that is not retired signs; all that are not removed verify.

    `private` is sealed (`agentconsole.secrets`); `public` is the JWK that `/.well-known/jwks.json` shows.
    """

    kid = models.CharField(max_length=64, primary_key=True)
    private = models.TextField()
    public = models.JSONField()
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=200)
    retired_at = models.DateTimeField(null=True)
    removed_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.kid
