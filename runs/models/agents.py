"""Where agents run and how they prove who they are."""

from datetime import datetime

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models

NAME_MAX = 64
NAME_PATTERN = r"[a-z0-9][a-z0-9._-]{0,63}"
valid_name = RegexValidator(
    rf"^{NAME_PATTERN}\Z", "Use 1 to 64 of a-z, 0-9, dot, dash and underscore, starting with a letter or digit."
)


class Environment(models.Model):
    """`dev`, `staging`, `prod` or a deployment's own. Its name is its key: rows read without a join."""

    name = models.CharField(max_length=NAME_MAX, primary_key=True, validators=[valid_name])
    is_restricted = models.BooleanField(default=False, help_text="Only its members and admins see it.")
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="environments")
    retention_days = models.PositiveIntegerField(
        null=True, blank=True, help_text="Empty: the console's RETENTION_DAYS. 0: for ever."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class Agent(models.Model):
    """An agent by name in an environment."""

    environment = models.ForeignKey(Environment, on_delete=models.PROTECT, related_name="agents")
    name = models.CharField(max_length=NAME_MAX, validators=[valid_name])
    keeps_content = models.BooleanField(default=True, db_default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["environment", "name"], name="agent_once_per_environment")]

    def __str__(self) -> str:
        return f"{self.name} ({self.environment_id})"


class AgentInstance(models.Model):
    """One installed copy of an agent, with its own credential, of which only a keyed hash is kept."""

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="instances")
    name = models.CharField(max_length=NAME_MAX, validators=[valid_name])
    token_hash = models.CharField(max_length=64, unique=True)
    token_prefix = models.CharField(max_length=16)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.CharField(max_length=200)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.CharField(max_length=200, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    startup = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints = [
            # A name is free again once its instance was revoked: rotation keeps the name.
            models.UniqueConstraint(
                fields=["agent", "name"], condition=models.Q(revoked_at=None), name="instance_name_once_per_agent"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.agent}/{self.name}"

    @property
    def missing_tools(self) -> list[dict[str, str]]:
        """What its last startup summary lacked: `[{"name", "reason"}]`."""
        missing = self.startup.get("missing", [])
        return missing if isinstance(missing, list) else []

    @property
    def last_beat(self) -> "InstanceBeat | None":
        """Its last sign of life, if it ever gave one. A query, unless `beat` was selected with it."""
        return getattr(self, "beat", None)

    @property
    def actor(self) -> str:
        """Who acts where it acts, as contexts and the audit chain name it. A query, unless `agent` was selected with it."""
        return f"agent:{self.agent.name}/{self.name}"

    def is_usable(self, now: datetime) -> bool:
        """Whether its credential opens anything at `now`."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


class InstanceBeat(models.Model):
    """The last sign of life of an instance, and what it said of its parts: `runs.ingest.beat` writes it over, row by instance.

    Times are the console's clock. `runs` were open, or begun, since the beat before. `boots` is `[[boot, number]]` of the
    processes that beat last, with the last number taken of each. `components` is `[{name, critical, lease_s, declared_at,
    proven_at, failing_since, failure, detail}]`.
    """

    instance = models.OneToOneField(AgentInstance, on_delete=models.CASCADE, primary_key=True, related_name="beat")
    beat_at = models.DateTimeField()
    lease_s = models.FloatField(default=30)
    boot_at = models.DateTimeField()
    stopped_at = models.DateTimeField(null=True)
    runs = models.PositiveIntegerField(default=0)
    idle_since = models.DateTimeField(null=True)
    boots = models.JSONField(default=list)
    components = models.JSONField(default=list)

    def __str__(self) -> str:
        return f"beat of instance {self.instance_id} at {self.beat_at:%Y-%m-%dT%H:%M:%SZ}"
