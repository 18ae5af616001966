"""One log record by itself: an event of its run, and what it adds to a tool call or a model call."""

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from agentconsole.protocol.envelope import Outcome
from agentconsole.protocol.tokens import TOKEN_MAX, Level, is_token
from traces.mapping.account import LogAccount, Role, RunFacts
from traces.mapping.claude import read_notification
from traces.mapping.conventions import CLAUDE
from traces.mapping.messages import lightened
from traces.mapping.outcomes import judge_error
from traces.mapping.readers import READERS
from traces.mapping.spans import NAME_MAX, QUERY_MAX, of_resource
from traces.mapping.taking import Taken, take
from traces.mapping.unwrapping import unwrapped_arguments, unwrapped_result
from traces.mapping.values import as_text, bounded, parsed
from traces.otlp.shapes import OtlpLog

RECORD = "LOG_RECORD"  # a record that names no event
_LEVELS = ((21, Level.CRITICAL), (17, Level.ERROR), (13, Level.WARNING), (9, Level.INFO), (1, Level.DEBUG))
_WORDS = {
    "TRACE": Level.DEBUG, "DEBUG": Level.DEBUG, "INFO": Level.INFO, "NOTICE": Level.INFO, "WARN": Level.WARNING,
    "WARNING": Level.WARNING, "ERROR": Level.ERROR, "CRITICAL": Level.CRITICAL, "FATAL": Level.CRITICAL,
}  # fmt: skip
# What is the event's token, its message or a column of its span.
_SAID = frozenset({"event.name", "prompt", "prompt_text", "response", "tool_input"})
_NOT_TOKEN = re.compile(r"[^A-Z0-9]+")
_EVENT_NAME = re.compile(r"[A-Za-z][\w-]*(?:[./][\w-]+)+")


class Adds(NamedTuple):
    """What a record adds to the span of a call: its columns, the call's id, the tool, and how much the event matters."""

    span: dict[str, Any]
    call_id: str = ""
    tool: str = ""
    level: Level | None = None
    message: str = ""


_NOTHING = Adds({})


def map_log(log: OtlpLog) -> LogAccount:
    """What a record says. Never raises, whatever it holds."""
    scope = log.scope.name
    taken = take(log.attributes, Role.STEP, scope)
    event = _event_name(log)
    token, message = _token(event, log.body)
    adds = _added(event, log, taken)
    return LogAccount(
        trace_id=log.trace_id,
        span_id=log.span_id,
        at=log.at,
        token=token,
        level=(adds.level or _level(log)).value,
        message=adds.message or message,
        fields=_fields(log, taken),
        call_id=adds.call_id,
        tool=adds.tool,
        span=adds.span,
        run=_run_facts(event, taken, log),
    )


def _event_name(log: OtlpLog) -> str:
    told = log.event_name or log.attributes.get("event.name") or ""
    if not told and isinstance(log.body, str) and len(log.body) <= TOKEN_MAX and _EVENT_NAME.fullmatch(log.body):
        told = log.body
    return told if isinstance(told, str) else ""


def _token(event: str, body: Any) -> tuple[str, str]:
    """The record's token and its message: the event's name in UPPER_SNAKE, else the token that its text begins with."""
    inner = body.get("event") or body.get("message") if isinstance(body, dict) else body
    text = as_text(inner) if inner is not None else ""
    if event:
        token = (
            _NOT_TOKEN.sub("_", event[: TOKEN_MAX * 2].upper()).strip("_").lstrip("0123456789_")[:TOKEN_MAX].strip("_")
        )
        said = "" if text.endswith(event) or isinstance(body, dict) else text
        return (token, said) if is_token(token) else (RECORD, text)
    first = text[: TOKEN_MAX + 1].split(" ", 1)[0].rstrip(":,")
    return (first if "_" in first and is_token(first) else RECORD), text


def _level(log: OtlpLog) -> Level:
    for least, level in _LEVELS:
        if log.severity >= least:
            return level
    return _WORDS.get(log.severity_text.upper(), Level.INFO)


def _fields(log: OtlpLog, taken: Taken) -> dict[str, Any]:
    fields = {key: bounded(value) for key, value in taken.rest.items() if key not in _SAID}
    for name, value in taken.fields.items():
        if name not in ("arguments", "result", "request_id", "session_id", "user"):
            fields.setdefault(name, bounded(value))
    if isinstance(log.body, dict):
        fields["body"] = bounded(log.body)
    if log.scope.name:
        fields["otel.scope.name"] = log.scope.name
    return fields


def _run_facts(event: str, taken: Taken, log: OtlpLog) -> RunFacts:
    fields = taken.fields
    prompt = log.attributes.get("prompt") if event == "user_prompt" else None
    asked = prompt if isinstance(prompt, str) and read_notification(prompt) is None else ""
    return RunFacts(
        request_id=fields.get("request_id", ""),
        session_id=fields.get("session_id", ""),
        user=fields.get("user", ""),
        query=asked[:QUERY_MAX],
        resource_request_id=of_resource(log.resource),
    )


def _added(event: str, log: OtlpLog, taken: Taken) -> Adds:
    rules = _CLAUDE_EVENTS if log.scope.name.startswith(CLAUDE) else _EVENTS
    rule = rules.get(event)
    if rule is not None:
        return rule(log, taken)
    if "exception.type" in log.attributes and log.span_id:
        return _exception(log, taken)
    return _NOTHING


def _text(value: Any) -> str:
    return READERS["text"](value) or ""


def _tool_result(log: OtlpLog, taken: Taken) -> Adds:
    """Claude Code: the only place that tells a tool's arguments."""
    attributes = log.attributes
    span: dict[str, Any] = {}
    if "tool_input" in attributes:
        span["arguments"] = parsed(attributes["tool_input"])
    error = as_text(attributes.get("error") or "")
    failed = str(attributes.get("success", "")).lower() == "false"
    if failed:
        span["outcome"] = judge_error((error, _text(attributes.get("error_type")))).outcome
        span["message"] = error or _text(attributes.get("error_type"))
    level = Level.WARNING if failed else None
    return Adds(span, _text(attributes.get("tool_use_id")), _claude_tool(attributes), level, error)


def _tool_decision(log: OtlpLog, taken: Taken) -> Adds:
    attributes = log.attributes
    decision = _text(attributes.get("decision"))
    tool = _claude_tool(attributes)
    span = {"outcome": Outcome.REJECTED, "message": f"decided: {decision}"} if decision == "reject" else {}
    return Adds(span, _text(attributes.get("tool_use_id")), tool, message=f"{decision}: {tool}".strip(": "))


def _claude_tool(attributes: Mapping[str, Any]) -> str:
    """The tool's name; for tools of MCP servers it stands among the parameters."""
    parameters = parsed(attributes.get("tool_parameters"))
    inner = parameters.get("mcp_tool_name") if isinstance(parameters, dict) else None
    return _text(inner)[:NAME_MAX] or _text(attributes.get("tool_name"))[:NAME_MAX]


def _user_prompt(log: OtlpLog, taken: Taken) -> Adds:
    """Claude Code: a prompt, or the answer of a sub-agent that worked on its own."""
    prompt = as_text(log.attributes.get("prompt") or "")
    notification = read_notification(prompt)
    if notification is None:
        return Adds({}, message=prompt)
    span: dict[str, Any] = {} if notification.result is None else {"result": notification.result}
    if notification.status == "completed" and notification.result is not None:
        span["outcome"] = Outcome.OK if notification.result.strip() else Outcome.EMPTY
    elif notification.status in ("failed", "killed"):
        span |= {"outcome": Outcome.ERROR, "message": f"the sub-agent ended as {notification.status}"}
    return Adds(span, notification.call_id, message=f"sub-agent {notification.status}")


def _assistant_response(log: OtlpLog, taken: Taken) -> Adds:
    return Adds({}, message=as_text(log.attributes.get("response") or ""))


def _api_error(log: OtlpLog, taken: Taken) -> Adds:
    return Adds({}, level=Level.ERROR, message=as_text(log.attributes.get("error") or ""))


def _operation_details(log: OtlpLog, taken: Taken) -> Adds:
    """OpenTelemetry GenAI: a model call's messages, kept out of its span."""
    told = take(log.attributes, Role.MODEL, log.scope.name).fields
    span: dict[str, Any] = {}
    if "arguments" in told:
        span["arguments"] = lightened(unwrapped_arguments(told["arguments"], Role.MODEL).value)
    if "result" in told:
        span["result"] = unwrapped_result(told["result"], Role.MODEL).value
    return Adds(span)


def _choice(log: OtlpLog, taken: Taken) -> Adds:
    """OpenTelemetry GenAI before 1.37: what a model answered."""
    body = log.body if isinstance(log.body, dict) else {}
    message = bounded(body.get("message", body))
    if not message or body.get("index") not in (0, None):
        return _NOTHING
    return Adds(
        {
            "result": unwrapped_result({"role": "assistant", **message}, Role.MODEL).value
            if isinstance(message, dict)
            else message
        }
    )


def _tool_message(log: OtlpLog, taken: Taken) -> Adds:
    """OpenTelemetry GenAI before 1.37: a tool's result on its way back to the model."""
    body = log.body if isinstance(log.body, dict) else {}
    call_id = _text(body.get("id"))
    return Adds({"result": parsed(body["content"])}, call_id) if call_id and "content" in body else _NOTHING


def _exception(log: OtlpLog, taken: Taken) -> Adds:
    """An exception that a span does not carry itself, but a record of it."""
    kind = _text(log.attributes.get("exception.type")).rsplit(".", 1)[-1]
    text = as_text(log.attributes.get("exception.message") or "")
    message = f"{kind}: {text}" if text else kind
    judged = judge_error((text, kind))
    return Adds({"outcome": judged.outcome, "message": message}, message=message)


_Rule = Callable[[OtlpLog, Taken], Adds]
_CLAUDE_EVENTS: dict[str, _Rule] = {
    "tool_result": _tool_result,
    "tool_decision": _tool_decision,
    "user_prompt": _user_prompt,
    "assistant_response": _assistant_response,
    "api_error": _api_error,
}
_EVENTS: dict[str, _Rule] = {
    "gen_ai.client.inference.operation.details": _operation_details,
    "gen_ai.choice": _choice,
    "gen_ai.tool.message": _tool_message,
    "gen_ai.client.operation.exception": _exception,
    "gen_ai.execute_tool.exception": _exception,
}
LOG_RULES = {f"claude_code.{name}": rule for name, rule in _CLAUDE_EVENTS.items()} | _EVENTS
