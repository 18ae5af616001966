"""A run's log: the rows that carry its `seq`. Each is keyed by its run and the id that its sender made.

The key starts with the run, so that another run's id can never be taken or probed, and so that on PostgreSQL the tables
are partitioned by ranges of run ids (UUIDv7: a range of time), a month each. The models don't know (migration 0005).
"""

from django.db import models

from agentconsole.protocol.envelope import Outcome, SpanState
from agentconsole.protocol.tokens import TOKEN_MAX, Level
from runs.models.run import Run


class TickState(models.TextChoices):
    """What a tick says of its phase."""

    ENTERED = "entered"
    ALIVE = "alive"
    LEFT = "left"


class SpanKind(models.TextChoices):
    """What a span times."""

    SUBAGENT = "subagent"
    TOOL = "tool"
    MODEL = "model"
    RETRIEVAL = "retrieval"
    STEP = "step"


# One list of outcomes: the protocol's words for a finished call, and for a span that has none.
SPAN_OUTCOMES = [word.value for words in (Outcome, SpanState) for word in words]


class PhaseTick(models.Model):
    """A phase was entered, is still going, or was left."""

    pk = models.CompositePrimaryKey("run_id", "id")
    run = models.ForeignKey(Run, on_delete=models.CASCADE, db_index=False, related_name="ticks")
    id = models.UUIDField()
    seq = models.BigIntegerField()
    at = models.DateTimeField()
    phase = models.CharField(max_length=100)
    state = models.CharField(max_length=8, choices=TickState.choices)
    detail = models.CharField(max_length=500, blank=True)

    class Meta:
        indexes = [
            # The log from a cursor on.
            models.Index(fields=["run", "seq"], name="tick_log"),
            # The phase ribbon: entries and exits in their order, without the heartbeats between.
            models.Index(fields=["run", "at"], condition=~models.Q(state="alive"), name="tick_ribbon"),
        ]

    def __str__(self) -> str:
        return f"{self.phase} {self.state}"


class Span(models.Model):
    """One timed piece of a run. `cut` tells of each text that was longer than its budget: `{place: {chars, sha256, at, left_out}}`.

    `mapping` says how a span that came by OTLP was placed (`traces.placing`); null: its agent told what it is.
    `approval_id` is set on the console's own spans alone: the action for whose decision the run waited.
    """

    pk = models.CompositePrimaryKey("run_id", "span_id")
    run = models.ForeignKey(Run, on_delete=models.CASCADE, db_index=False, related_name="spans")
    span_id = models.CharField(max_length=16)
    seq = models.BigIntegerField()
    parent_id = models.CharField(max_length=16, blank=True)
    trace_id = models.CharField(max_length=32, blank=True)
    kind = models.CharField(max_length=10, choices=SpanKind.choices)
    name = models.CharField(max_length=200)
    agent = models.CharField(max_length=200, blank=True)
    phase = models.CharField(max_length=100, blank=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=12, choices=[(word, word) for word in SPAN_OUTCOMES])
    message = models.TextField(blank=True)
    retryable = models.BooleanField(default=False)
    elapsed_ms = models.BigIntegerField(null=True)
    soft_ms = models.BigIntegerField(null=True)
    hard_ms = models.BigIntegerField(null=True)
    attempts = models.JSONField(default=list)
    hint = models.JSONField(null=True)
    arguments = models.TextField(null=True)  # noqa: DJ001  null: not reported, "" is an answer
    result = models.TextField(null=True)  # noqa: DJ001  null: not reported, "" is an answer
    cut = models.JSONField(default=dict)
    attributes = models.JSONField(default=dict)
    approval_id = models.UUIDField(null=True)
    mapping = models.JSONField(null=True)

    class Meta:
        indexes = [
            # The log from a cursor on.
            models.Index(fields=["run", "seq"], name="span_log"),
            # A run's waits for people.
            models.Index(
                fields=["run", "started_at"], condition=models.Q(approval_id__isnull=False), name="span_waits"
            ),
            # The waterfall's first rows.
            models.Index(fields=["run", "started_at"], name="span_waterfall"),
            # Search by span id or its beginning.
            models.Index(fields=["span_id"], name="span_by_id"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.name} {self.outcome}"


class TraceEvent(models.Model):
    """One structured log record of a run, told by its token. `adds` is what it tells of a tool call (`traces.placing`)."""

    pk = models.CompositePrimaryKey("run_id", "id")
    run = models.ForeignKey(Run, on_delete=models.CASCADE, db_index=False, related_name="events")
    id = models.UUIDField()
    seq = models.BigIntegerField()
    at = models.DateTimeField()
    level = models.CharField(max_length=8, choices=[(level.value, level.value) for level in Level])
    token = models.CharField(max_length=TOKEN_MAX)
    message = models.TextField(blank=True)
    fields = models.JSONField(default=dict)
    cut = models.JSONField(default=dict)  # of each text longer than its budget, as on Span
    span_id = models.CharField(max_length=16, blank=True)
    adds = models.JSONField(null=True)

    class Meta:
        indexes = [
            # The log from a cursor on.
            models.Index(fields=["run", "seq"], name="event_log"),
            # A token across runs, newest first.
            models.Index(fields=["token", "-at"], name="event_by_token"),
        ]

    def __str__(self) -> str:
        return self.token


# All of them, in the order in which an ingest writes them.
LOG_TABLES: tuple[type[models.Model], ...] = (PhaseTick, TraceEvent, Span)
