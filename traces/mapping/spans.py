"""One span by itself: from what its source says to the console's words."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from agentconsole.protocol.envelope import SpanState
from traces.mapping.account import ModelUse, Role, RunFacts, SpanAccount
from traces.mapping.claude import read_notification
from traces.mapping.conventions import AGENTS, CLAUDE, NAME_PREFIXES, NAME_SUFFIXES, PHASE_NAMES, TOOLS
from traces.mapping.judging import Told, Verdict, judge
from traces.mapping.messages import Asked, calls_in, lightened, query_of
from traces.mapping.readers import READERS
from traces.mapping.taking import Events, Taken, family, role_of, take, take_events
from traces.mapping.unwrapping import Unwrapped, unwrapped_arguments, unwrapped_result
from traces.mapping.values import bounded
from traces.otlp.shapes import OtlpSpan, Resource

NAME_MAX = 200
QUERY_MAX = 4_000
EVENTS_MAX = 20
_NO_SPAN = "0" * 16
_NOTHING_ASKED = Asked((), ())
_DERIVED_PHASES = dict.fromkeys((Role.TOOL, Role.TOOL_SIDE, Role.RETRIEVAL), "tool") | {
    Role.MODEL: "model",
    Role.GATE: "waiting",
}
_NAME_FIELDS = dict.fromkeys((*TOOLS, Role.WORKFLOW), "name") | {Role.AGENT: "agent"}
_USE = tuple(told.name for told in fields(ModelUse))
_ADK = ("gcp.vertex.agent", "openinference.instrumentation.google_adk")


def map_span(span: OtlpSpan) -> SpanAccount:
    """What a span says. Never raises, whatever its attributes hold; work is bounded by their size."""
    role, role_rule = role_of(span)
    events = take_events(span.events)
    attributes: Mapping[str, Any] = {**events.attributes, **span.attributes} if events.attributes else span.attributes
    taken = take(attributes, role, span.scope.name)
    arguments, result = _payload("arguments", taken, role), _payload("result", taken, role)
    if result is not None and span.scope.name.startswith(_ADK):
        _take_off_adk(result)
    asked = _asked(taken, role)
    verdict = judge(Told(span, role, taken.fields, events.exception, result, asked.held))
    if verdict.rule == "interrupt" and role == Role.STEP:
        role, role_rule = Role.GATE, verdict.rule
    name = _name(span, role, taken)
    _explain(taken.rules, role_rule, verdict, arguments, result)
    account = SpanAccount(
        trace_id=span.trace_id,
        span_id=span.span_id,
        parent_id=span.parent_id,
        started_at=span.started_at,
        ended_at=span.ended_at,
        role=role,
        name=name,
        agent=_agent(role, name, taken),
        agent_run_id=taken.fields.get("agent_run_id", ""),
        phase=_phase(span, role, taken),
        outcome=verdict.outcome,
        message=verdict.message,
        arguments=_arguments_of(arguments, verdict, role),
        result=None if result is None else _result_of(result, asked, role),
        call_id=_call_id(role, taken, result),
        calls=verdict.calls or asked.calls,
        answers=_answers(span, role),
        bare_arguments=role in TOOLS and arguments is not None and not isinstance(arguments.value, dict),
        model=_model_use(taken),
        run=_run_facts(span, taken, role, arguments),
        rules=taken.rules,
        attributes=_attributes(span, name, taken, events),
    )
    return _announced(account, span) if span.attributes.get("logfire.span_type") == "pending_span" else account


def _announced(notice: SpanAccount, span: OtlpSpan) -> SpanAccount:
    """The span that a pending span announces: it is its parent, and has the parent that is named."""
    if not span.parent_id:
        return notice
    parent = READERS["text"](span.attributes.get("logfire.pending_parent_id"))
    return replace(
        notice,
        span_id=span.parent_id,
        parent_id="" if parent in (None, _NO_SPAN) else parent,
        ended_at=None,
        outcome=SpanState.RUNNING,
        message="",
        rules={**notice.rules, "outcome": "logfire.pending_span"},
    )


def _payload(name: str, taken: Taken, role: Role) -> Unwrapped | None:
    """The arguments or the result without its wrappings; from numbered attributes where no single one has it."""
    value = taken.fields.get(name)
    if name not in taken.fields:
        members = taken.families.get(name)
        if not members or role in TOOLS:
            return None
        value, taken.rules[name] = family(members), "numbered_attributes"
    return unwrapped_arguments(value, role) if name == "arguments" else unwrapped_result(value, role)


def _take_off_adk(result: Unwrapped) -> None:
    if isinstance(result.value, dict) and result.value.keys() == {"result"}:
        result.value = result.value["result"]
        result.rules.append("unwrap.adk_result")


def _asked(taken: Taken, role: Role) -> Asked:
    """The tool calls in what a model answered, or that an agent's answer asks approval for."""
    if role != Role.MODEL and role not in AGENTS:
        return _NOTHING_ASKED
    asked = calls_in(taken.fields.get("asked") or taken.fields.get("result"))
    if not asked.calls and "result" in taken.families:
        asked = calls_in(family(taken.families["result"]))
    return asked if role == Role.MODEL else Asked(asked.held, asked.held)


def _explain(
    rules: dict[str, str], role_rule: str, verdict: Verdict, arguments: Unwrapped | None, result: Unwrapped | None
) -> None:
    """Completes the rules: which placed it, which judged it, which unwrapped its payloads."""
    if role_rule:
        rules["role"] = role_rule
    if verdict.rule:
        rules["outcome"] = verdict.rule
    for name, payload in (("arguments", arguments), ("result", result)):
        if payload is not None and payload.rules:
            rules[name] = " > ".join((rules[name], *payload.rules))
    for name in ("level", "succeeded", "decision", "deferral", "asked"):
        rules.pop(name, None)


def _name(span: OtlpSpan, role: Role, taken: Taken) -> str:
    field = _NAME_FIELDS.get(role)
    if field is None:
        return span.name[:NAME_MAX]
    told: str = taken.fields.get(field) or _stripped(span.name, taken)
    return told[:NAME_MAX]


def _stripped(name: str, taken: Taken) -> str:
    """A span's name without what says what it is."""
    bare = name
    for prefix in NAME_PREFIXES:
        bare = bare.removeprefix(prefix)
    for suffix in NAME_SUFFIXES:
        bare = bare.removesuffix(suffix)
    if bare != name and bare:
        taken.rules.setdefault("name", "span.name")
        return bare
    return name


def _phase(span: OtlpSpan, role: Role, taken: Taken) -> str:
    told: str = taken.fields.get("phase", "")
    if told:
        return told
    is_phase = role == Role.STEP and span.name.startswith(PHASE_NAMES)
    return span.name[:NAME_MAX] if is_phase else _DERIVED_PHASES.get(role, "")


def _agent(role: Role, name: str, taken: Taken) -> str:
    told = taken.fields.get("agent", "")
    return (told or (name if role == Role.AGENT else ""))[:NAME_MAX]


def _call_id(role: Role, taken: Taken, result: Unwrapped | None) -> str:
    told: str = taken.fields.get("call_id", "")
    return told or (result.call_id[:NAME_MAX] if result is not None and role in TOOLS else "")


def _arguments_of(arguments: Unwrapped | None, verdict: Verdict, role: Role) -> Any:
    if role == Role.GATE and verdict.calls:
        return [{"name": name, "arguments": asked} for _id, name, asked in verdict.calls]
    if arguments is None:
        return None
    return lightened(arguments.value) if role not in TOOLS else arguments.value


def _result_of(result: Unwrapped, asked: Asked, role: Role) -> Any:
    """A model that asks for tools and says nothing else: the calls."""
    if role == Role.MODEL and asked.calls and isinstance(result.value, dict | list):
        return [{"id": call_id, "name": name, "arguments": arguments} for call_id, name, arguments in asked.calls]
    return result.value


def _answers(span: OtlpSpan, role: Role) -> tuple[tuple[str, Any], ...]:
    prompt = span.attributes.get("user_prompt") if role == Role.AGENT else None
    if not isinstance(prompt, str) or not span.scope.name.startswith(CLAUDE):
        return ()
    notification = read_notification(prompt)
    if notification is None or notification.result is None:
        return ()
    return ((notification.call_id, notification.result),)


def _model_use(taken: Taken) -> ModelUse | None:
    use = {name: taken.fields[name] for name in _USE if name in taken.fields}
    return ModelUse(**use) if use else None


def _run_facts(span: OtlpSpan, taken: Taken, role: Role, arguments: Unwrapped | None) -> RunFacts:
    fields = taken.fields
    is_asked = role in AGENTS or (role == Role.STEP and not span.parent_id)
    query = query_of(arguments.value)[:QUERY_MAX] if is_asked and arguments is not None else ""
    if query.startswith("<task-notification>"):
        query = ""
    return RunFacts(
        request_id=fields.get("request_id", ""),
        session_id=fields.get("session_id", ""),
        user=fields.get("user", ""),
        query=query,
        resource_request_id=of_resource(span.resource),
    )


def of_resource(resource: Resource) -> str:
    """What a process says of all that it does: a process made for one request."""
    told = resource.attributes.get("request.id") or resource.attributes.get("request_id")
    return READERS["text"](told) or ""


def _attributes(span: OtlpSpan, name: str, taken: Taken, events: Events) -> dict[str, Any]:
    rest = {key: bounded(value) if isinstance(value, dict | list) else value for key, value in taken.rest.items()}
    if use := {name: taken.fields[name] for name in _USE if name in taken.fields}:
        rest["model"] = use
    if name != span.name:
        rest["otel.span.name"] = span.name
    if span.scope.name:
        rest["otel.scope.name"] = span.scope.name
    if events.exception and events.exception.get("exception.stacktrace"):
        rest["exception.stacktrace"] = events.exception["exception.stacktrace"]
    if events.others:
        rest["events"] = [
            {"name": event.name, "at": event.at.isoformat(), "attributes": bounded(dict(event.attributes))}
            for event in events.others[:EVENTS_MAX]
        ]
    return rest
