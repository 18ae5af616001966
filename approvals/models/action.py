"""An action: one side-effecting call that an agent proposes, and everything that became of it."""

import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone

from agentconsole.protocol.ids import REQUEST_ID_MAX
from runs.lacks import Lacks
from runs.models import Agent, AgentInstance, Environment, Run

KEY_MAX = 255
TOOL_MAX = 200
RESOURCE_MAX = 500
NOTE_MAX = 2000
FINGERPRINT_CHARS = len("acf1:") + 64
# How long a claimed action may go without a report before its outcome counts as unknown.
REPORT_WITHIN = timedelta(minutes=15)


class ActionStatus(models.TextChoices):
    """Where an action is. Each but `pending` is final; AAP knows exactly these."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


TERMINAL = (ActionStatus.APPROVED, ActionStatus.DENIED, ActionStatus.EXPIRED, ActionStatus.CANCELLED)


class OutcomeStatus(models.TextChoices):
    """What became of a claimed action. `unknown` was never reported; a person says what they found."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"


class Action(models.Model):
    """One asked action. `envelope` holds its canonical bytes: what is shown, hashed, and compared at the claim.

    `version` counts what a reviewer would see change; a decision names the version it was made on. `arguments`, `context`
    and the other submitted texts are kept letter for letter, because they go back to the agent so.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    environment = models.ForeignKey(Environment, on_delete=models.PROTECT, db_index=False)
    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, db_index=False)
    instance = models.ForeignKey(AgentInstance, on_delete=models.PROTECT, db_index=False)
    version = models.PositiveIntegerField(default=1)

    # As it was asked.
    idempotency_key = models.CharField(max_length=KEY_MAX)
    submission_digest = models.CharField(max_length=64)
    tool = models.CharField(max_length=TOOL_MAX)
    server = models.CharField(max_length=TOOL_MAX, blank=True)
    arguments = models.TextField()
    timeout = models.CharField(max_length=16)
    agent_reasoning = models.TextField(null=True)  # noqa: DJ001  null: not sent, and must not be sent back
    context = models.TextField(null=True)  # noqa: DJ001  null: not sent, and must not be sent back

    # What it is.
    operation = models.CharField(max_length=TOOL_MAX)
    resource = models.CharField(max_length=RESOURCE_MAX, blank=True)
    schema_digest = models.CharField(max_length=100, blank=True)
    risk = models.CharField(max_length=8, blank=True)
    summary = models.CharField(max_length=NOTE_MAX, blank=True)
    envelope = models.TextField()
    fingerprint = models.CharField(max_length=FINGERPRINT_CHARS)

    # Whose run it belongs to, and for whom.
    on_behalf_of = models.CharField(max_length=200, blank=True)
    is_delegation_verified = models.BooleanField(default=False)
    delegation_id = models.CharField(max_length=64, blank=True)
    run = models.ForeignKey(Run, on_delete=models.SET_NULL, null=True, related_name="actions")
    run_id_claimed = models.UUIDField(null=True)
    request_id = models.CharField(max_length=REQUEST_ID_MAX, blank=True)
    trace_id = models.CharField(max_length=32, blank=True)
    # What its instance lacked when it asked, `runs.lacks.Lacks` as JSON.
    lacked = models.JSONField(null=True)

    # The terms of its decision: `approvals.policy.Terms` as JSON, as they were when it was asked.
    terms = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    deadline_at = models.DateTimeField()
    last_polled_at = models.DateTimeField(null=True)

    # Its end.
    status = models.CharField(max_length=10, choices=ActionStatus.choices, default=ActionStatus.PENDING)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.CharField(max_length=200, blank=True)
    note = models.TextField(blank=True)
    expires_at = models.DateTimeField(null=True)
    supersedes = models.OneToOneField(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="superseded_by"
    )

    # The claim and the report.
    claim_key = models.CharField(max_length=KEY_MAX, blank=True)
    claim_digest = models.CharField(max_length=64, blank=True)
    claimed_at = models.DateTimeField(null=True)
    grant = models.JSONField(null=True)  # the claims of the grant that was given, with its key's id
    outcome = models.CharField(max_length=10, choices=OutcomeStatus.choices, blank=True)
    outcome_note = models.TextField(blank=True)
    outcome_at = models.DateTimeField(null=True)
    reconciled_as = models.CharField(max_length=10, choices=OutcomeStatus.choices, blank=True)
    reconciled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="reconciled_actions"
    )
    reconciled_at = models.DateTimeField(null=True)
    reconciled_note = models.TextField(blank=True)

    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["instance", "idempotency_key"], name="action_once_per_key"),
            models.CheckConstraint(
                condition=models.Q(claimed_at=None) | models.Q(status="approved"), name="only_approved_is_claimed"
            ),
            models.CheckConstraint(
                condition=models.Q(status="pending") ^ models.Q(decided_at__isnull=False), name="ended_has_a_time"
            ),
            models.CheckConstraint(
                condition=models.Q(outcome="") | models.Q(claimed_at__isnull=False), name="only_claimed_has_an_outcome"
            ),
        ]
        indexes = [
            # The queue of an environment, next to expire first; the sweep of deadlines.
            models.Index(
                fields=["environment", "deadline_at", "id"], condition=models.Q(status="pending"), name="action_queue"
            ),
            models.Index(fields=["deadline_at"], condition=models.Q(status="pending"), name="action_deadlines"),
            # What was decided, newest first; what changed lately, for the live list.
            models.Index(fields=["environment", "-created_at", "-id"], name="action_history"),
            models.Index(fields=["environment", "updated_at"], name="action_changes"),
            # What this tool did before; the last such request.
            models.Index(fields=["agent", "tool", "-created_at"], name="action_by_tool"),
            models.Index(fields=["fingerprint"], name="action_by_fingerprint"),
            # A run that arrives after its question finds it by any of its names.
            models.Index(fields=["request_id"], condition=~models.Q(request_id=""), name="action_by_request"),
            models.Index(fields=["trace_id"], condition=~models.Q(trace_id=""), name="action_by_trace"),
            models.Index(
                fields=["run_id_claimed"],
                condition=models.Q(run_id_claimed__isnull=False),
                name="action_by_claimed_run",
            ),
            # Asked before their run arrived: whether there is any to tie to the runs of a batch.
            models.Index(
                fields=["created_at"],
                condition=models.Q(run=None)
                & (~models.Q(request_id="") | ~models.Q(trace_id="") | models.Q(run_id_claimed__isnull=False)),
                name="action_unlinked",
            ),
            # Claimed and not reported: the sweep for unknown outcomes.
            models.Index(
                fields=["claimed_at"],
                condition=models.Q(outcome="", claimed_at__isnull=False),
                name="action_unreported",
            ),
            # Reported as unknown and not reconciled: what people have to look into.
            models.Index(
                fields=["outcome_at"],
                condition=models.Q(outcome="unknown", reconciled_as=""),
                name="action_unknown",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.operation} {self.status}"

    @property
    def action_id(self) -> uuid.UUID:
        """Its id, under the name that signatures use."""
        return self.id

    @property
    def lacks(self) -> Lacks:
        """The tools that its instance lacked when it asked."""
        return Lacks.from_json(self.lacked)

    @property
    def is_ended(self) -> bool:
        """Whether it was decided, expired or was withdrawn."""
        return self.status != ActionStatus.PENDING

    @property
    def is_due(self) -> bool:
        """Whether it is pending past its deadline: expired in all but its row."""
        return self.status == ActionStatus.PENDING and timezone.now() >= self.deadline_at

    @property
    def is_superseded(self) -> bool:
        """Whether a refused drift put another action in its place."""
        return hasattr(self, "superseded_by")

    def is_startable(self, now: datetime) -> bool:
        """Whether it may be claimed at `now`, as far as its own row says."""
        return (
            self.status == ActionStatus.APPROVED
            and self.claimed_at is None
            and self.expires_at is not None
            and now < self.expires_at
        )

    @property
    def lifecycle(self) -> str:
        """The word for where it is, finer than its status: also `claimed`, `succeeded`, `failed`, `unknown`, `lapsed`, `superseded`."""
        return lifecycle_of(self, timezone.now())


def lifecycle_of(action: Action, now: datetime) -> str:
    """See `Action.lifecycle`. `lapsed`: approved, and not started in time."""
    if action.is_superseded:
        return "superseded"
    if action.status != ActionStatus.APPROVED:
        return action.status
    if action.reconciled_as:
        return action.reconciled_as
    if action.outcome:
        return action.outcome
    if action.claimed_at is not None:
        return "claimed"
    return "approved" if action.is_startable(now) else "lapsed"


class Drift(models.Model):
    """Something other than the approved action was about to run: what, and whether that was let through.

    `changes` is a list of `{"path", "kind", "before", "after"}` over the whole envelope, values as exact JSON text.
    """

    action = models.ForeignKey(Action, on_delete=models.CASCADE, related_name="drifts")
    at = models.DateTimeField()
    instance = models.ForeignKey(AgentInstance, on_delete=models.PROTECT)
    fingerprint = models.CharField(max_length=FINGERPRINT_CHARS)
    envelope = models.TextField()
    changes = models.JSONField(default=list)
    is_allowed = models.BooleanField()

    class Meta:
        indexes = [
            models.Index(fields=["action", "at"], name="drift_by_action"),
            # Refused of late: what people have to look into.
            models.Index(fields=["at"], condition=models.Q(is_allowed=False), name="drift_refused"),
        ]

    def __str__(self) -> str:
        return f"drift of {self.action_id} at {self.at:%H:%M:%S}"
