"""How a span ended is classified from what its source really told, never better."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.mapping.making import span
from traces.mapping import map_span
from traces.mapping.account import SpanAccount
from traces.mapping.outcomes import judge_error, merged, with_budget

TOOL = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "lookup"}


def tool(attributes: dict[str, Any] | None = None, **given: Any) -> SpanAccount:
    return map_span(span("execute_tool lookup", TOOL | (attributes or {}), **given))


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("401 Unauthorized: key rejected", "auth_failed"), ("Error code: 403 - {}", "auth_failed"),
        ("Client error '401 Unauthorized' for url", "auth_failed"), ("invalid API key provided", "auth_failed"),
        ("PERMISSION_DENIED: no", "auth_failed"), ("PaymentAuthError", "auth_failed"), ("the token has expired", "auth_failed"),
        ("HTTP 429", "degraded"), ("status_code=503", "degraded"), ("Overloaded", "degraded"), ("HTTP/1.1 529", "degraded"),
        ("Rate limit reached", "degraded"), ("Connection refused", "degraded"), ("ServiceUnavailableError", "degraded"),
        ("circuit is open", "degraded"), ("ReadTimeout", "timeout"), ("timed out after 10 s", "timeout"),
        ("DEADLINE_EXCEEDED", "timeout"), ("504 Gateway Timeout", "timeout"), ("rejected by the user", "rejected"),
        ("approval was denied", "rejected"), ("division by zero", "error"), ("", "error"),
    ],
)  # fmt: skip
def test_an_error_is_told_by_its_text(text: str, outcome: str) -> None:
    assert judge_error([text]).outcome == outcome


@pytest.mark.parametrize(
    "text",
    [
        "order 401 not found", "no parcel A-401", "401-B is no room", "took 500 items of 503", "order_id 403",
        "TypeError: lookup() got an unexpected keyword argument 'timeout'", "ValueError: rate limit must be positive",
        "expected 429 rows", "a forbiddenly long name",
    ],
)  # fmt: skip
def test_numbers_and_words_that_only_look_alike_are_no_reason(text: str) -> None:
    assert judge_error([text]).outcome == "error"


@pytest.mark.parametrize(
    ("result", "outcome"),
    [
        ("done", "ok"), ("", "empty"), ("[]", "empty"), ("{}", "empty"), ("null", "empty"), ("  [] ", "empty"), ([], "empty"),
        ('""', "empty"), ("0", "ok"), ("false", "ok"), ('{"items": []}', "ok"), ('{"success": true}', "ok"),
        ('{"success": false, "error": "401 Unauthorized"}', "auth_failed"), ('{"status": "error", "message": "boom"}', "error"),
        ("{'status': 'error', 'error': 'timed out'}", "timeout"), ('{"error": "HTTP 503"}', "degraded"),
        ('{"error": null, "data": 1}', "ok"), ('{"error": ""}', "ok"), ('{"isError": true, "content": "x"}', "error"),
        ('{"error": {"code": 1, "message": "rate limit"}}', "degraded"), ('{"status": "shipped"}', "ok"),
        ('{"outcome": "degraded", "elapsed_ms": 12, "message": "circuit open"}', "degraded"), ('{"outcome": "win"}', "ok"),
    ],
)  # fmt: skip
def test_a_result_is_judged_by_what_it_says(result: Any, outcome: str) -> None:
    assert tool({"gen_ai.tool.call.result": result}).outcome == outcome


def test_a_tool_that_reports_no_result_is_never_well() -> None:
    assert tool(status=(1, "")).outcome == "unreported"


def test_a_tool_that_has_not_ended_is_running() -> None:
    assert tool(seconds=None).outcome == "running"


@pytest.mark.parametrize(
    ("given", "outcome", "message"),
    [
        ({"status": (2, "ValueError: bad id")}, "error", "ValueError: bad id"),
        ({"status": (2, ""), "attributes": {"error.type": "TimeoutError"}}, "timeout", "TimeoutError"),
        ({"attributes": {"langfuse.observation.level": "ERROR", "langfuse.observation.status_message": "HTTP 503"}}, "degraded", "HTTP 503"),
        ({"attributes": {"gen_ai.task.status": "failure"}}, "error", ""),
        ({"status": (2, "Error running tool: {'tool_name': 'x', 'error': '401 Unauthorized'}")}, "auth_failed", "Error running tool: 401 Unauthorized"),
        ({"status": (2, "{'message': 'Error running tool', 'data': {'tool_name': 'x', 'error': 'HTTP 503'}}")}, "degraded", "Error running tool: HTTP 503"),
        ({"status": (2, "KeyError('id')Traceback (most recent call last):\n  File x")}, "error", "KeyError: id"),
        ({"status": (2, "x"), "events": (("exception", {"exception.type": "app.errors.BadId", "exception.message": "no 7"}),)}, "error", "BadId: no 7"),
        ({"attributes": {"gen_ai.tool.call.result": '{"content": [{"type": "text", "text": "HTTP 503"}], "isError": true}'}}, "degraded", "HTTP 503"),
    ],
)  # fmt: skip
def test_a_failure_is_found_wherever_its_source_puts_it(given: dict[str, Any], outcome: str, message: str) -> None:
    account = tool(**given)
    assert (account.outcome, account.message) == (outcome, message)


def test_an_exception_that_was_noted_and_survived_is_no_failure() -> None:
    event = ("exception", {"exception.type": "RetryableError", "exception.message": "503"})
    assert tool({"gen_ai.tool.call.result": "done"}, events=(event,)).outcome == "ok"


def test_the_stack_trace_is_kept_once_and_not_in_the_message() -> None:
    told = {"exception.type": "E", "exception.message": "m", "exception.stacktrace": "Traceback …"}
    account = tool(status=(2, "E: m"), events=(("exception", told),))
    assert (account.message, account.attributes["exception.stacktrace"]) == ("E: m", "Traceback …")


@pytest.mark.parametrize("error_type", ["langgraph.errors.GraphInterrupt", "NodeInterrupt"])
def test_an_interrupt_is_a_wait_for_a_person_and_no_error(error_type: str) -> None:
    message = "(Interrupt(value={'action_requests': [{'name': 'refund', 'args': {'id': 7}}]}, id='1'),)"
    event = ("exception", {"exception.type": error_type, "exception.message": message})
    account = map_span(span("after_model", {"openinference.span.kind": "CHAIN"}, events=(event,), status=(2, "x")))
    assert (account.role.value, account.outcome, account.message) == ("gate", "waiting", "waits for a person: refund")
    assert account.calls == (("", "refund", {"id": 7}),)


def test_a_deferred_tool_waits() -> None:
    assert tool({"pydantic_ai.tool.deferral.name": "ApprovalRequired"}).outcome == "waiting"


def test_an_answer_that_asks_for_approval_waits() -> None:
    part = {
        "type": "function_approval_request",
        "id": "a",
        "function_call": {"type": "function_call", "call_id": "c", "name": "refund", "arguments": "{}"},
    }
    messages = [{"role": "assistant", "parts": [part]}]
    account = map_span(span(attributes={"gen_ai.operation.name": "chat", "gen_ai.output.messages": messages}))
    assert (account.outcome, account.message) == ("waiting", "waits for a person: refund")
    assert account.calls == (("c", "refund", {}),)


@pytest.mark.parametrize(("decision", "outcome"), [("accept", "ok"), ("reject", "rejected")])
def test_a_decided_wait_says_how_it_was_decided(decision: str, outcome: str) -> None:
    attributes = {"span.type": "tool.blocked_on_user", "decision": decision}
    account = map_span(span(attributes=attributes, scope="com.anthropic.claude_code.tracing"))
    assert (account.outcome, account.message) == (outcome, f"decided: {decision}")


def test_steps_and_agents_that_end_are_well_and_models_need_a_sign_of_an_answer() -> None:
    assert map_span(span(attributes={"gen_ai.operation.name": "invoke_agent"})).outcome == "ok"
    assert map_span(span()).outcome == "ok"
    assert map_span(span(attributes={"gen_ai.operation.name": "chat"})).outcome == "unreported"
    assert map_span(span(attributes={"gen_ai.operation.name": "chat", "gen_ai.usage.output_tokens": 7})).outcome == "ok"


@pytest.mark.parametrize(
    ("outcome", "elapsed", "soft", "shown"),
    [
        ("ok", 301, 300, "slow"), ("ok", 300, 300, "ok"), ("ok", 301, None, "ok"), ("ok", None, 300, "ok"),
        ("empty", 301, 300, "empty"), ("error", 301, 300, "error"), ("unreported", 301, 300, "unreported"),
    ],
)  # fmt: skip
def test_slow_needs_a_budget_and_an_answer(outcome: str, elapsed: float | None, soft: float | None, shown: str) -> None:
    assert with_budget(outcome, elapsed, soft) == shown


def test_two_tellings_of_one_call_make_the_one_that_says_more() -> None:
    words = ["running", "unreported", "ok", "slow", "empty", "error", "degraded", "timeout", "auth_failed", "rejected"]
    assert merged("unreported", "ok") == "ok"
    assert merged("error", "auth_failed") == "auth_failed"
    for own in words:
        assert merged(own, own) == own
        for other in words:
            assert merged(own, other) == merged(other, own)


def test_a_notice_that_a_span_began_is_that_span_running() -> None:
    notice = {"logfire.span_type": "pending_span", "logfire.pending_parent_id": "b" * 16} | TOOL
    account = map_span(span("execute_tool lookup", notice, parent="a" * 16))
    assert (account.span_id, account.parent_id) == ("a" * 16, "b" * 16)
    assert (account.outcome, account.ended_at, account.name) == ("running", None, "lookup")
    assert account.started_at == datetime(2026, 11, 27, 2, tzinfo=UTC)
    head = map_span(span("x", notice | {"logfire.pending_parent_id": "0" * 16}, parent="a" * 16))
    assert head.parent_id == ""
