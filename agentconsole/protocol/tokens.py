"""Every token that the console and its SDK log or emit, with its meaning. One grep finds each place.

The architecture test holds each log call to a literal token of this list; agents may emit their own UPPER_SNAKE tokens.
"""

import re
from enum import StrEnum

_TOKEN = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*")
TOKEN_MAX = 64


class Level(StrEnum):
    """How much a trace event matters."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"


def is_token(text: str) -> bool:
    """Whether text is UPPER_SNAKE and at most 64 characters."""
    return len(text) <= TOKEN_MAX and _TOKEN.fullmatch(text) is not None


TOKENS: dict[str, str] = {
    # a run, as the SDK reports it
    "RUN_STARTED": "a run began",
    "RUN_FINISHED": "a run reached its end",
    "PHASE_ENTERED": "a run entered a phase",
    "PHASE_LEFT": "a run left a phase",
    "HEARTBEAT_TICK": "a run said that it is still going",
    "SUBAGENT_STARTED": "a sub-agent was invoked",
    "SUBAGENT_FINISHED": "a sub-agent answered or failed",
    "RESULT_TRUNCATED": "a result was longer than its budget and was cut",
    "TOOL_SLOW": "a tool answered after its soft budget",
    "TOOL_TIMEOUT_HARD": "a tool gave no answer within its hard budget and was cancelled",
    "TOOL_ABANDONED": "a synchronous tool did not stop at its hard budget and was left behind in its thread",
    "TOOL_AUTH_FAILED": "a tool's credential was refused",
    "TOOL_DEGRADED": "a tool's service is failing or refusing",
    "TOOL_ERROR": "a tool broke",
    "TOOL_REJECTED": "a tool's call was stopped at the approval boundary",
    "CIRCUIT_OPENED": "a tool failed so often that calls stop for a while",
    "CIRCUIT_CLOSED": "a tool answers again",
    # well known, for agents to emit
    "ROUTER_DECISION": "an agent chose where a request goes",
    "SYNTH_FALLBACK_TRIGGERED": "an agent's synthesis fell back to its simpler form",
    "SLACK_ACK_PRIMARY_POSTED": "an agent acknowledged a request in its Slack thread",
    # the console
    "RUN_STALLED": "a run gave no sign of life within its lease",
    "RUN_RESUMED": "a stalled run gave a sign of life",
    "RUN_WAITING": "a run waits for a person's decision",
    "RUN_CONTINUED": "a run's last open question to a person was answered",
    "RUNS_PRUNED": "runs past their retention were deleted",
    "PARTITION_MADE": "a table of the log got its partition for a month",
    "PARTITION_NOT_MADE": "too many rows of that month lie in the default partition to move them beside the ingest",
    "PARTITION_IN_USE": "a long reader was in the way of making or dropping a partition; the next sweep tries again",
    "PARTITION_DROPPED": "the log of a month went, all of whose runs were past their retention",
    "AGENT_STARTED": "an agent's instance reported what it loaded",
    "AGENT_DEGRADED": "an agent's instance started with tools missing",
    "AGENT_NOT_READY": "an agent's instance says that a critical component of its own does not work, or has not yet",
    "AGENT_READY": "an agent's instance says that all its critical components work",
    "AGENT_STOPPED": "an agent's instance ended on purpose",
    "CREDENTIAL_ISSUED": "an instance credential was made",
    "CREDENTIAL_REVOKED": "an instance credential was revoked",
    "CREDENTIAL_REFUSED": "a request came with a credential that is unknown, expired or revoked",
    "RATE_LIMITED": "a credential sent more than its rate",
    "RATES_LOCAL": "the shared cache can't be reached; each process counts requests for itself meanwhile",
    "RATES_SHARED": "the shared cache counts requests again",
    "INGEST_ACCEPTED": "a batch was stored",
    "INGEST_ITEM_REJECTED": "items of a batch were refused",
    "INGEST_REFUSED": "a batch could not be read at all",
    "SECRET_LEAK_BLOCKED": "a secret was found in a payload and taken out before it was stored",
    "CONTENT_SWITCHED": "an admin said whether an agent's content is kept",
    "LEAK_INCIDENT_OPENED": "a secret that was taken out is one that the console had not met before",
    "LEAK_INCIDENT_REOPENED": "a secret whose incident was closed came again",
    "LEAK_INCIDENT_CLOSED": "a person has dealt with a leaked secret, and said how",
    "REQUEST_FINISHED": "an HTTP request was answered",
    "REQUEST_REFUSED": "a request was refused while it arrived: too large, or too slow",
    "REQUEST_FAILED": "an HTTP request broke",
    "SOCKET_OPENED": "a browser opened a live socket",
    "SOCKET_CLOSED": "a live socket closed",
    "SOCKET_CHECK_FAILED": "whether a socket's person may still look could not be checked; it is tried again",
    "SOCKET_SEND_FAILED": "a frame could not be sent: the browser has gone, or is told to come back",
    "SOCKET_TOO_SLOW": "a live socket did not keep up and was dropped",
    "LIVE_HINT_LOST": "a change was found by the safety poll, not by its hint",
    "LIVE_LAYER_FAILED": "the channel layer could not be reached; the safety poll carries on",
    "LIVE_LAYER_BACK": "the channel layer works again",
    "LIVE_READ_FAILED": "the rows behind a topic could not be read; the topic tries again",
    "METRICS_INCOMPLETE": "the database could not be read for a scrape of /metrics; the other metrics were answered",
    "TASK_STARTED": "a background task began",
    "TASK_FINISHED": "a background task ended",
    "TASK_FAILED": "a background task broke",
    "TASK_ENQUEUED": "a background task is handed to the broker",
    "TASK_ENQUEUE_FAILED": "a background task could not be handed to the broker; a sweep will make up for it",
    # approvals
    "APPROVAL_REQUESTED": "an agent asked whether an action may run",
    "APPROVAL_REQUEST_REFUSED": "an agent's question was not taken: malformed, too large, a secret in it, a key used before, a bad delegation",
    "APPROVAL_VOTED": "a person approved or denied an action; its quorum may need more",
    "APPROVAL_VOTE_REFUSED": "a person's verdict did not count: their own action, a stale page, too late, not theirs to say",
    "APPROVAL_APPROVED": "an action may run, once, until its start-by time",
    "APPROVAL_DENIED": "an action may not run",
    "APPROVAL_EXPIRED": "nobody decided on an action in time",
    "APPROVAL_CANCELLED": "an agent withdrew its action, or its instance was retired",
    "APPROVAL_CANCEL_REFUSED": "an action was not withdrawn: it is over, or somebody else's",
    "APPROVAL_SUPERSEDED": "an action that drifted was put before people anew, in place of the one they had approved",
    "APPROVAL_CLAIMED": "an approved action was started, the one time that it may be",
    "APPROVAL_CLAIM_REFUSED": "an action was not started: not approved, too late, used up, or somebody else's",
    "APPROVAL_DRIFT_REJECTED": "what was about to run was not what was approved, and was refused",
    "APPROVAL_DRIFT_ALLOWED": "what runs differs from what was approved, only where the policy lets it",
    "APPROVAL_OUTCOME_REPORTED": "an agent reported what became of an action that it started",
    "APPROVAL_OUTCOME_UNKNOWN": "an action was started and its outcome never reported",
    "APPROVAL_OUTCOME_RECONCILED": "a person found out what became of an action of unknown outcome",
    "APPROVAL_OUTCOME_REFUSED": "a report of an outcome, or what a person found of it, was not taken: never started, known, somebody else's",
    "APPROVAL_BREAK_GLASS": "an admin approved an action alone, past quorum and group",
    "APPROVAL_BREAK_GLASS_REVIEWED": "a second person looked at what an admin had approved alone",
    "APPROVAL_REVIEW_REFUSED": "a review of what was approved alone did not count: their own doing, or not theirs to say",
    "SIGNING_KEY_MADE": "a key that signs grants and delegations was made",
    "SIGNING_KEY_RETIRED": "the keys before a new one sign no more, and verify for a while unless they leaked",
    "DELEGATION_MINTED": "the console gave a person's word to the agent that they sent",
    "DELEGATION_REFUSED": "a delegation token was forged, expired or somebody else's",
    "GRANT_REFUSED": "a grant did not open the tool that it was shown to",
    "WEBHOOK_DELIVERED": "a receiver acknowledged that its request has ended",
    "WEBHOOK_FAILED": "a receiver did not acknowledge a message; it is sent again later",
    "WEBHOOK_REFUSED_ADDRESS": "a receiver's name leads to an address that must not be called; nothing was sent",
    "WEBHOOK_GAVE_UP": "a receiver did not acknowledge a message within its week",
    "PROVISIONER_ISSUED": "a provisioner's token was made",
    "PROVISIONER_REVOKED": "a provisioner's token opens nothing any more",
    "INSTANCE_PROVISIONED": "a program made an instance for itself",
    "INSTANCE_UPDATED": "a provisioned instance got another name or receiver",
    "INSTANCE_DELETED": "a provisioned instance was retired; what it had pending is cancelled",
    "POLICY_REFUSED": "a new version of the policy was not taken: the password is missing or wrong, mistakes, begun on an older one",
    "POLICY_SAVED": "an admin put a new version of the policy in force",
    # the bundled agent
    "DOCTOR_REQUESTED": "a person asked for a run of the bundled agent",
    "DOCTOR_WAITING": "a run of the bundled agent waits for the one that is under way",
    "DOCTOR_SKIPPED": "the bundled agent was not started: a run of it is under way, or it has no credential",
    "DOCTOR_STARTED": "the bundled agent began a run",
    "DOCTOR_FINISHED": "the bundled agent ended a run",
    "DOCTOR_FAILED": "the bundled agent's process broke, or was stopped at its time limit",
    "FINDING_MADE": "the bundled agent found something that a person should know",
    "PRUNE_PROPOSED": "the bundled agent counted the runs that are past their retention",
    # the parts of the console
    "BEAT_LEADS": "a beat leads: it sends what is due",
    "BEAT_STANDS_BY": "a beat sends nothing, because another one leads; it takes over when that one is gone",
    "BEAT_HELD_UP": "a beat can't reach the database or the broker; it tries again every second",
    "CLOCK_JUMPED": "this machine's clock was set; the schedule goes on as if it had not been",
    "HEALTH_READY": "every critical component is proven",
    "HEALTH_NOT_READY": "a critical component is not proven",
    "HEALTH_STARTED": "a web process has everything that it needs, for the first time",
    "HEALTH_HISTORY_NOT_WRITTEN": "what was seen of the components could not be written; it is kept and tried again",
    "SERVER_STARTED": "a web process listens",
    "OTLP_GRPC_STARTED": "the door for OTLP over gRPC is open",
    "OTLP_GRPC_OFF": "the console runs without its door for OTLP over gRPC, since its port is taken",
    "CHILD_STARTED": "the supervisor started a child process",
    "CHILD_EXITED": "a child process ended without being asked to",
    "GREETING_FAILED": "the console runs, and could not say so in the terminal",
    "DRAIN_STARTED": "a process was asked to stop and finishes what it has",
    "CHILD_CRASHES_AGAIN": "a child process has crashed several times in a row right after its start",
    "DRAIN_OVERRUN": "a process that was asked to stop hangs past its deadline and is ended",
    "REQUEST_CUT_OFF": "a request was not done when its web process had to stop",
    "TASK_CUT_OFF": "a task was not done when its worker had to stop; it goes back to the queue",
    "MESSAGE_UNREADABLE": "a message of the embedded queue was no JSON, and was left out",
    "SCHEDULE_ENDED": "the schedule beside a worker ended without being asked to; both are started again",
    "PARENT_GONE": "the supervisor is gone, and its child follows",
    "DRAIN_FINISHED": "a process stopped",
    "TELEMETRY_NOT_STARTED": "the console's own traces or errors can't be sent as its variables say; it works without",
    "TELEMETRY_NOT_SENT": "the console's own traces or errors could not be delivered; said once in five minutes",
    "BACKUP_WRITTEN": "a backup of the embedded console is whole and on the disk, or down the pipe",
    "BACKUP_RESTORED": "a backup took the database's place; what came after it is gone",
    # the SDK about itself
    "SDK_CONSOLE_AWAY": "the console could not be reached; items are kept in the journal",
    "SDK_CONSOLE_BACK": "the console answers again; the journal is being delivered",
    "SDK_ITEMS_DROPPED": "the SDK's memory or journal was full and items were dropped",
    "SDK_ITEMS_REFUSED": "the console refused items that the SDK sent",
    "SDK_OFF": "the SDK was given no console and records nothing",
    "SDK_REFUSED": "the console refused the SDK's credential, or what answers is no console; items are kept",
    "SDK_JOURNAL_FAILED": "the SDK's journal can't be written; items wait in memory only",
    "SDK_VALUE_REPLACED": "the SDK replaced a value that the console would have refused",
    "SDK_OUTCOME_UNREPORTED": "what became of a guarded call could not be told to the console; a person has to find out",
    "SDK_FAULT": "the SDK itself broke; the agent goes on",
    "SDK_FLUSH_INCOMPLETE": "the process ended before everything was delivered; the rest is in the journal",
}

# What agents of any make emit; the console only gives the words their meaning.
WELL_KNOWN = frozenset({"HEARTBEAT_TICK", "ROUTER_DECISION", "SYNTH_FALLBACK_TRIGGERED", "SLACK_ACK_PRIMARY_POSTED"})
