"""What the approval queue keeps: actions and their votes, policies, the audit chain, provisioned instances, the outbox."""

from approvals.models.action import TERMINAL, Action, ActionStatus, Drift, OutcomeStatus
from approvals.models.audit import AuditEntry, AuditHead
from approvals.models.decision import BreakGlass, Presence, Verdict, Vote
from approvals.models.keys import SigningKey
from approvals.models.outbox import Notification
from approvals.models.policy import PolicyVersion
from approvals.models.provisioning import InstanceUpdate, ProvisionedInstance, Provisioner, WebhookReceiver

__all__ = [
    "TERMINAL",
    "Action",
    "ActionStatus",
    "AuditEntry",
    "AuditHead",
    "BreakGlass",
    "Drift",
    "InstanceUpdate",
    "Notification",
    "OutcomeStatus",
    "PolicyVersion",
    "Presence",
    "ProvisionedInstance",
    "Provisioner",
    "SigningKey",
    "Verdict",
    "Vote",
    "WebhookReceiver",
]
