"""A log record is an event of its run, and tells of a call what its span does not."""

from typing import Any

import pytest

from tests.mapping.decoding import capture
from tests.mapping.making import record
from traces.mapping import map_log

CLAUDE = "com.anthropic.claude_code.events"


@pytest.mark.parametrize(
    ("given", "token", "message"),
    [
        ({"event_name": "gen_ai.choice"}, "GEN_AI_CHOICE", ""),
        ({"attributes": {"event.name": "order-placed"}, "body": "41.50 EUR"}, "ORDER_PLACED", "41.50 EUR"),
        ({"body": "app.started"}, "APP_STARTED", ""),
        ({"body": "ROUTER_DECISION to=billing"}, "ROUTER_DECISION", "ROUTER_DECISION to=billing"),
        ({"body": {"event": "ROUTER_DECISION", "to": "billing"}}, "ROUTER_DECISION", "ROUTER_DECISION"),
        ({"body": "connected to the store"}, "LOG_RECORD", "connected to the store"),
        ({"body": "ERROR while reading"}, "LOG_RECORD", "ERROR while reading"),
        ({"event_name": "…"}, "LOG_RECORD", ""),
        ({"event_name": "1st." + "x" * 200}, "ST_" + "X" * 61, ""),
        ({}, "LOG_RECORD", ""),
    ],
)  # fmt: skip
def test_a_record_has_a_token_that_can_be_searched_for(given: dict[str, Any], token: str, message: str) -> None:
    account = map_log(record(given.pop("attributes", None), **given))
    assert (account.token, account.message) == (token, message)


@pytest.mark.parametrize(
    ("severity", "text", "level"),
    [
        (1, "", "debug"), (9, "", "info"), (13, "", "warning"), (17, "", "error"), (21, "", "critical"), (0, "", "info"),
        (0, "Warn", "warning"), (0, "FATAL", "critical"), (24, "INFO", "critical"),
    ],
)  # fmt: skip
def test_its_level_is_its_severity(severity: int, text: str, level: str) -> None:
    assert map_log(record(severity=severity, severity_text=text)).level == level


def claude(event: str, **attributes: Any) -> Any:
    return map_log(record({"event.name": event, **attributes}, scope=CLAUDE, body=f"claude_code.{event}"))


def test_claude_code_tells_a_tool_s_arguments_in_its_log() -> None:
    account = claude(
        "tool_result", tool_use_id="toolu_1", tool_name="mcp_tool", success="false", tool_input='{"id": 7}',
        tool_parameters='{"mcp_server_name": "orders", "mcp_tool_name": "refund"}', error="401 Unauthorized",
    )  # fmt: skip
    assert (account.token, account.level, account.tool, account.call_id) == (
        "TOOL_RESULT",
        "warning",
        "refund",
        "toolu_1",
    )
    assert account.span == {"arguments": {"id": 7}, "outcome": "auth_failed", "message": "401 Unauthorized"}
    assert "tool_input" not in account.fields


def test_a_refused_tool_is_rejected_and_an_accepted_one_tells_nothing_of_its_end() -> None:
    assert claude("tool_decision", decision="reject", tool_use_id="t", tool_name="Bash").span["outcome"] == "rejected"
    assert claude("tool_decision", decision="accept", tool_use_id="t", tool_name="Bash").span == {}


def test_a_sub_agent_that_ran_on_its_own_answers_by_a_notice() -> None:
    notice = "<task-notification><tool-use-id>toolu_2</tool-use-id><status>completed</status><result>late <b>truck</b></result></task-notification>"
    account = claude("user_prompt", prompt=notice)
    assert (account.call_id, account.run.query) == ("toolu_2", "")
    assert account.span == {"result": "late <b>truck</b>", "outcome": "ok"}


def test_a_person_s_prompt_is_what_the_run_was_asked() -> None:
    account = claude("user_prompt", prompt="Refund A-1009", **{"session.id": "s-1", "request.id": "r-1"})
    assert (account.message, account.run.query) == ("Refund A-1009", "Refund A-1009")
    assert (account.run.session_id, account.run.request_id) == ("s-1", "r-1")


def test_a_model_call_s_messages_come_beside_its_span() -> None:
    told = {
        "gen_ai.input.messages": '[{"role": "user", "parts": [{"type": "text", "content": "Where?"}]}]',
        "gen_ai.output.messages": '[{"role": "assistant", "parts": [{"type": "text", "content": "Here."}]}]',
    }
    account = map_log(record(told, event_name="gen_ai.client.inference.operation.details"))
    assert account.span["result"] == "Here."
    assert account.span["arguments"][0]["role"] == "user"


def test_the_older_events_of_messages_tell_answers() -> None:
    choice = {"index": 0, "message": {"content": "Here."}}
    assert map_log(record(event_name="gen_ai.choice", body=choice)).span == {"result": "Here."}
    tool = map_log(record(event_name="gen_ai.tool.message", body={"id": "c-1", "content": '{"total": 41.5}'}))
    assert (tool.call_id, tool.span) == ("c-1", {"result": {"total": 41.5}})


def test_an_exception_that_is_logged_tells_of_its_span() -> None:
    told = {"exception.type": "httpx.ReadTimeout", "exception.message": "no answer"}
    account = map_log(record(told, event_name="gen_ai.execute_tool.exception", severity=13))
    assert account.span == {"outcome": "timeout", "message": "ReadTimeout: no answer"}
    assert account.level == "warning"


def test_claude_code_s_capture_completes_its_tool_calls() -> None:
    added: dict[str, dict[str, Any]] = {}
    for account in map(map_log, capture("claude_agent_sdk").logs):
        if account.call_id:
            added.setdefault(account.call_id, {}).update(account.span)
    assert added["toolu_00"] == {"arguments": {"order_id": "A-1009"}}
    assert (added["toolu_10"]["outcome"], added["toolu_10"]["message"]) == (
        "auth_failed",
        "401 Unauthorized: refund API key rejected",
    )
    assert added["toolu_20"]["outcome"] == "ok"
    assert len(added["toolu_20"]["result"]) == 6_600
