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
    "RUNS_PRUNED": "runs past their retention were deleted",
    "AGENT_STARTED": "an agent's instance reported what it loaded",
    "AGENT_DEGRADED": "an agent's instance started with tools missing",
    "CREDENTIAL_ISSUED": "an instance credential was made",
    "CREDENTIAL_REVOKED": "an instance credential was revoked",
    "CREDENTIAL_REFUSED": "a request came with a credential that is unknown, expired or revoked",
    "RATE_LIMITED": "a credential sent more than its rate",
    "INGEST_ACCEPTED": "a batch was stored",
    "INGEST_ITEM_REJECTED": "items of a batch were refused",
    "INGEST_REFUSED": "a batch could not be read at all",
    "SECRET_LEAK_BLOCKED": "a secret was found in a payload and taken out before it was stored",
    "REQUEST_FINISHED": "an HTTP request was answered",
    "REQUEST_REFUSED": "a request was refused while it arrived: too large, or too slow",
    "REQUEST_FAILED": "an HTTP request broke",
    "SOCKET_OPENED": "a browser opened a live socket",
    "SOCKET_CLOSED": "a live socket closed",
    "SOCKET_CHECK_FAILED": "whether a socket's person may still look could not be checked; it is tried again",
    "SOCKET_TOO_SLOW": "a live socket did not keep up and was dropped",
    "LIVE_HINT_LOST": "a change was found by the safety poll, not by its hint",
    "LIVE_LAYER_FAILED": "the channel layer could not be reached; the safety poll carries on",
    "LIVE_LAYER_BACK": "the channel layer works again",
    "LIVE_READ_FAILED": "the rows behind a topic could not be read; the topic tries again",
    "TASK_STARTED": "a background task began",
    "TASK_FINISHED": "a background task ended",
    "TASK_FAILED": "a background task broke",
    "TASK_ENQUEUED": "a background task is handed to the broker",
    "TASK_ENQUEUE_FAILED": "a background task could not be handed to the broker; a sweep will make up for it",
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
    "BEAT_NOT_RECORDED": "a component's sign of life could not be written",
    "HEALTH_READY": "every critical component is proven",
    "HEALTH_NOT_READY": "a critical component is not proven",
    "SERVER_STARTED": "a web process listens",
    "CHILD_STARTED": "the supervisor started a child process",
    "CHILD_EXITED": "a child process ended without being asked to",
    "DRAIN_STARTED": "a process was asked to stop and finishes what it has",
    "PARENT_GONE": "the supervisor is gone, and its child follows",
    "DRAIN_FINISHED": "a process stopped",
    # the SDK about itself
    "SDK_CONSOLE_AWAY": "the console could not be reached; items are kept in the journal",
    "SDK_CONSOLE_BACK": "the console answers again; the journal is being delivered",
    "SDK_ITEMS_DROPPED": "the SDK's memory or journal was full and items were dropped",
    "SDK_ITEMS_REFUSED": "the console refused items that the SDK sent",
    "SDK_OFF": "the SDK was given no console and records nothing",
    "SDK_REFUSED": "the console refused the SDK's credential, or what answers is no console; items are kept",
    "SDK_JOURNAL_FAILED": "the SDK's journal can't be written; items wait in memory only",
    "SDK_VALUE_REPLACED": "the SDK replaced a value that the console would have refused",
    "SDK_FAULT": "the SDK itself broke; the agent goes on",
    "SDK_FLUSH_INCOMPLETE": "the process ended before everything was delivered; the rest is in the journal",
}

# What agents of any make emit; the console only gives the words their meaning.
WELL_KNOWN = frozenset({"HEARTBEAT_TICK", "ROUTER_DECISION", "SYNTH_FALLBACK_TRIGGERED", "SLACK_ACK_PRIMARY_POSTED"})
