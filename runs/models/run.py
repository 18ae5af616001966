"""A run: one request worked on by one agent."""

import uuid
from datetime import timedelta

from django.db import models
from django.db.models.functions import Now

from agentconsole.protocol.context import Transport
from agentconsole.protocol.ids import REQUEST_ID_MAX
from runs.lacks import Lacks
from runs.models.agents import Agent, AgentInstance, Environment


class RunStatus(models.TextChoices):
    """Where a run is. `waiting` is on a person; `stalled` gave no sign of life within its lease."""

    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"
    STALLED = "stalled"


class SourceNote(models.TextChoices):
    """What a reader must know of a run that is known from its spans alone."""

    ROOT_MISSING = "root_missing"
    TOOLS_UNREPORTED = "tools_unreported"
    PERSON_AWAITED = "person_awaited"


TERMINAL = (RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.TIMED_OUT, RunStatus.CANCELLED)
LIVE = (RunStatus.QUEUED, RunStatus.RUNNING)


class Run(models.Model):
    """A run and the summary of its log, kept in step by `runs.ingest`.

    `seq` is the last number given out in this run's log; `summary_seq` the one of this row's own last change.
    `started_at` and `ended_at` are the agent's clock, `received_at`, `last_seen_at` and `updated_at` are ours.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    environment = models.ForeignKey(Environment, on_delete=models.PROTECT, db_index=False)
    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, db_index=False)
    instance = models.ForeignKey(AgentInstance, on_delete=models.SET_NULL, null=True)

    request_id = models.CharField(max_length=REQUEST_ID_MAX, db_index=True)
    trace_id = models.CharField(max_length=32, blank=True)
    session_id = models.CharField(max_length=200, blank=True)
    transport = models.CharField(max_length=16, choices=[(door.value, door.value) for door in Transport])
    actor = models.CharField(max_length=200)
    subject = models.CharField(max_length=200, blank=True)
    on_behalf_of = models.CharField(max_length=200, blank=True)
    query = models.TextField(blank=True)
    attributes = models.JSONField(default=dict)

    status = models.CharField(max_length=16, choices=RunStatus.choices, default=RunStatus.RUNNING)
    is_start_received = models.BooleanField(default=False)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    deadline_at = models.DateTimeField(null=True)
    summary = models.TextField(blank=True)
    error = models.TextField(blank=True)
    cut = models.JSONField(default=dict)  # of each text longer than its budget, as on Span

    heartbeat_s = models.FloatField(default=10)
    lease_s = models.FloatField(default=60)
    received_at = models.DateTimeField(db_default=Now())
    last_seen_at = models.DateTimeField()
    lease_expires_at = models.DateTimeField()
    clock_skew_ms = models.BigIntegerField(default=0)

    phase = models.CharField(max_length=100, blank=True)
    phase_at = models.DateTimeField(null=True)
    tools = models.JSONField(default=dict)
    # What a run known from its spans alone was told by which of them (`traces.services.facts`); null: its agent told of it.
    source = models.JSONField(null=True)
    # What its agent's instance lacked when it began, `runs.lacks.Lacks` as JSON. Set once: it stays true after a repair.
    lacked = models.JSONField(null=True)
    span_count = models.PositiveIntegerField(default=0)
    event_count = models.PositiveIntegerField(default=0)

    seq = models.BigIntegerField(default=0)
    summary_seq = models.BigIntegerField(default=0)
    updated_at = models.DateTimeField()

    class Meta:
        indexes = [
            # The run list, newest first, of an environment; with a status chip; of an agent.
            models.Index(fields=["environment", "-started_at", "-id"], name="run_list"),
            models.Index(fields=["environment", "status", "-started_at", "-id"], name="run_list_by_status"),
            models.Index(fields=["agent", "-started_at", "-id"], name="run_list_by_agent"),
            # The live list: what changed lately.
            models.Index(fields=["environment", "updated_at"], name="run_changes"),
            # The stall sweep: live runs whose lease ran out.
            models.Index(fields=["lease_expires_at"], condition=models.Q(status__in=LIVE), name="run_leases"),
            # Retention: ended runs by age.
            models.Index(fields=["environment", "last_seen_at"], name="run_retention"),
            # Search by trace.
            models.Index(fields=["trace_id"], condition=~models.Q(trace_id=""), name="run_by_trace"),
        ]

    def __str__(self) -> str:
        return f"{self.request_id} {self.status}"

    @property
    def is_traced(self) -> bool:
        """Whether it is known from its spans alone."""
        return self.source is not None

    @property
    def is_ended(self) -> bool:
        """Whether it reached its end."""
        return self.status in TERMINAL

    @property
    def run_id(self) -> uuid.UUID:
        """Its id, under the name that signatures use."""
        return self.id

    @property
    def lacks(self) -> Lacks:
        """The tools that its agent's instance lacked when it began."""
        return Lacks.from_json(self.lacked)

    @property
    def took(self) -> timedelta | None:
        """How long it took by the agent's clock, once ended."""
        return self.ended_at - self.started_at if self.ended_at else None


class RunTrace(models.Model):
    """The run that the spans of an agent's trace belong to. Made with the first of them, so that two at once make one run."""

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, db_index=False)
    trace_id = models.CharField(max_length=32)
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="traces")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["agent", "trace_id"], name="run_once_per_trace")]

    def __str__(self) -> str:
        return self.trace_id
