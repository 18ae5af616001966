"""Instances that programs make for themselves, and where their notifications go."""

import uuid

from django.db import models

from runs.models import Agent, AgentInstance


class Provisioner(models.Model):
    """A token that makes and retires instances of one agent in one environment, and can do nothing else."""

    name = models.CharField(max_length=64)
    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="provisioners")
    token_hash = models.CharField(max_length=64, unique=True)
    token_prefix = models.CharField(max_length=16)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=200)
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.CharField(max_length=200, blank=True)
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["agent", "name"], condition=models.Q(revoked_at=None), name="provisioner_name_once_per_agent"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} for {self.agent}"


class ProvisionedInstance(models.Model):
    """An instance made by a provisioner, under the UUID that AAP knows it by.

    `sealed_result` is the answer to its making, credential included, for retries within their retention; emptied after.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    provisioner = models.ForeignKey(Provisioner, on_delete=models.PROTECT, related_name="provisioned")
    instance = models.OneToOneField(AgentInstance, on_delete=models.PROTECT, related_name="provisioned")
    display_name = models.CharField(max_length=200)
    idempotency_key = models.CharField(max_length=255)
    submission_digest = models.CharField(max_length=64)
    sealed_result = models.TextField()
    created_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provisioner", "idempotency_key"], name="provisioned_once_per_key")
        ]

    def __str__(self) -> str:
        return self.display_name


class InstanceUpdate(models.Model):
    """An update of a provisioned instance that was committed, and what it was answered, for its retries."""

    provisioned = models.ForeignKey(ProvisionedInstance, on_delete=models.CASCADE, related_name="updates")
    idempotency_key = models.CharField(max_length=255)
    submission_digest = models.CharField(max_length=64)
    result = models.JSONField()
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["provisioned", "idempotency_key"], name="updated_once_per_key")]

    def __str__(self) -> str:
        return f"update of {self.provisioned_id}"


class WebhookReceiver(models.Model):
    """Where an instance's notifications go: a URL that proved, by answering a signed challenge, that it wants them."""

    instance = models.OneToOneField(AgentInstance, on_delete=models.CASCADE, related_name="receiver")
    url = models.CharField(max_length=2000)
    registration_id = models.UUIDField()
    sealed_secret = models.TextField()
    verified_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.url
