"""From accounts to rows: the columns of Span and TraceEvent as their source tells them, cleaned as every door's are."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from agentconsole.protocol.ids import uuid7_of
from runs.ingest.clean import Cleaner, check_text
from runs.ingest.errors import TooDeepError
from runs.ingest.rows import FILLED_LATER, Row, elapsed_ms
from runs.models import SpanKind
from traces.mapping.account import LogAccount, Role, SpanAccount
from traces.mapping.logs import RECORD
from traces.mapping.outcomes import FAILURES
from traces.services.repeats import marked, unpacked

_NAME, _PHASE, _CALL_ID = 200, 100, 200
_CALLS = 64
_KINDS = {
    Role.AGENT: SpanKind.SUBAGENT,
    Role.WORKFLOW: SpanKind.SUBAGENT,
    Role.TOOL: SpanKind.TOOL,
    Role.MODEL: SpanKind.MODEL,
    Role.RETRIEVAL: SpanKind.RETRIEVAL,
}


def span_row(account: SpanAccount, cleaner: Cleaner, *, soft_ms: int | None, is_entry: bool = False) -> Row:
    """A Span's columns as told, without `run_id`. `is_entry`: its parent may be in another process. ItemError."""
    kind = _KINDS.get(account.role, SpanKind.STEP).value
    check_text(f"{account.name}{account.agent}{account.phase}{account.message}{account.call_id}")
    row: Row = {
        "span_id": account.span_id,
        "seq": FILLED_LATER,
        "parent_id": account.parent_id,
        "trace_id": account.trace_id,
        "kind": kind,
        "name": cleaner.label(account.name, "name")[:_NAME] or account.role.value,
        "agent": cleaner.label(account.agent, "agent")[:_NAME],
        "phase": cleaner.label(account.phase, "phase")[:_PHASE],
        "started_at": account.started_at,
        "ended_at": account.ended_at,
        "outcome": account.outcome,
        "message": cleaner.prose(account.message, "message"),
        "retryable": False,
        "elapsed_ms": elapsed_ms(account.started_at, account.ended_at),
        "soft_ms": soft_ms if account.role is Role.TOOL else None,
        "hard_ms": None,
        "attempts": [],
        "hint": None,
        "arguments": cleaner.payload(account.arguments, "arguments"),
        "result": cleaner.payload(account.result, "result"),
        "attributes": _structure(account.attributes, cleaner, "attributes"),
        "mapping": _mapping(account, cleaner),
    }
    row["cut"] = cleaner.cut
    row["mapping"] |= {"entry": True} if is_entry else {}
    return marked(row)


def _mapping(account: SpanAccount, cleaner: Cleaner) -> dict[str, Any]:
    """What placing needs of the account that no column holds. What is blank is left out."""
    calls = [
        {"id": call_id, "tool": tool, "arguments": arguments} for call_id, tool, arguments in account.calls[:_CALLS]
    ]
    answered = [(cleaner.label(call_id, "call_id")[:_CALL_ID], result) for call_id, result in account.answers[:_CALLS]]
    answers = {call_id: cleaner.payload(result, f"mapping.answers.{call_id}") for call_id, result in answered}
    error = account.message if account.outcome in FAILURES else ""
    told = {
        "call_id": cleaner.label(account.call_id, "call_id")[:_CALL_ID],
        "error": hashlib.sha256(error.encode()).hexdigest()[:16] if error else "",
        "usage": account.model is not None and account.model.input_tokens is not None,
        "agent_run": cleaner.label(account.agent_run_id, "agent_run")[:_CALL_ID],
        "calls": cleaner.trimmed({"calls": calls}, "mapping").get("calls") if calls else None,
        "answers": answers,
        "bare": account.bare_arguments,
    }
    return {"role": account.role.value, "rules": dict(account.rules)} | {
        name: value for name, value in told.items() if value
    }


def event_row(account: LogAccount, cleaner: Cleaner) -> Row:
    """A TraceEvent's columns, without `run_id`. Its id is made of what it says: the same record sent again is one row. ItemError."""
    check_text(f"{account.token}{account.message}{account.call_id}{account.tool}")
    adds = _adds(account, cleaner)
    row: Row = {
        "seq": FILLED_LATER,
        "at": account.at,
        "level": account.level,
        "token": account.token if cleaner.label(account.token, "token") == account.token else RECORD,
        "message": cleaner.prose(account.message, "message"),
        "fields": _structure(account.fields, cleaner, "fields"),
        "span_id": account.span_id,
        "cut": cleaner.cut,
        "adds": adds,
    }
    row["id"] = uuid7_of(account.at, _digest(row, account))
    return row


def _adds(account: LogAccount, cleaner: Cleaner) -> dict[str, Any] | None:
    if not account.span or not (account.call_id or account.span_id):
        return None
    told = {
        column: cleaner.payload(value, column) if column in ("arguments", "result") else value
        for column, value in account.span.items()
    }
    if told.get("message"):
        told["message"] = cleaner.prose(str(told["message"]), "message")
    return {"call_id": cleaner.label(account.call_id, "call_id")[:_CALL_ID], "columns": told}


def _digest(row: Row, account: LogAccount) -> bytes:
    said = [account.trace_id, *(row[column] for column in ("level", "token", "message", "fields", "span_id", "adds"))]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).digest()


def _structure(value: Mapping[str, Any], cleaner: Cleaner, place: str) -> dict[str, Any]:
    try:
        return cleaner.trimmed(unpacked(value), place)
    except TooDeepError:  # JSON in texts in JSON: as texts they may be kept
        return cleaner.trimmed(dict(value), place)
