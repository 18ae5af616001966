"""Tool calls and texts are found in messages of every shape."""

import json
from typing import Any

import pytest

from tests.mapping.making import span
from traces.mapping import map_span
from traces.mapping.messages import calls_in, lightened, query_of, text_of

CALL = ("c-1", "lookup", {"id": 7})


@pytest.mark.parametrize(
    "output",
    [
        [{"role": "assistant", "parts": [{"type": "tool_call", "id": "c-1", "name": "lookup", "arguments": {"id": 7}}]}],
        [{"arguments": '{"id":7}', "call_id": "c-1", "name": "lookup", "type": "function_call", "id": "fc_1"}],
        {"choices": [{"message": {"tool_calls": [{"id": "c-1", "type": "function", "function": {"name": "lookup", "arguments": '{"id": 7}'}}]}}]},
        {"content": [{"type": "text", "text": "hm"}, {"type": "tool_use", "id": "c-1", "name": "lookup", "input": {"id": 7}}]},
        {"generations": [[{"message": {"kwargs": {"tool_calls": [{"name": "lookup", "args": {"id": 7}, "id": "c-1", "type": "tool_call"}]}}}]]},
        [{"toolCallId": "c-1", "toolName": "lookup", "args": '{"id": 7}'}],
        {"content": {"parts": [{"function_call": {"id": "c-1", "name": "lookup", "args": {"id": 7}}}]}},
        {"tool_calls": [{"id": "c-1", "name": "lookup", "arguments": '{"id": 7}'}]},
    ],
)  # fmt: skip
def test_a_tool_call_is_found_in_each_shape(output: Any) -> None:
    assert calls_in(output).calls == (CALL,)


def test_a_call_that_is_told_twice_is_one_call() -> None:
    twice = {
        "tool_calls": [{"id": "c-1", "name": "lookup", "arguments": {"id": 7}}],
        "raw": {"id": "c-1", "function": {"name": "lookup", "arguments": "{}"}},
    }
    assert calls_in(twice).calls == (CALL,)


@pytest.mark.parametrize(
    "attributes",
    [
        {"gen_ai.operation.name": "chat", "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"tool_call","id":"c-1","name":"lookup","arguments":{"id":7}}]}]'},
        {"ai.operationId": "ai.generateText.doGenerate", "ai.response.toolCalls": '[{"toolCallId":"c-1","toolName":"lookup","input":{"id":7}}]'},
        {
            "openinference.span.kind": "LLM",
            "llm.output_messages.0.message.role": "assistant",
            "llm.output_messages.0.message.tool_calls.0.tool_call.id": "c-1",
            "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "lookup",
            "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": '{"id": 7}',
        },
        {
            "llm.request.type": "chat",
            "gen_ai.completion.0.role": "assistant",
            "gen_ai.completion.0.tool_calls.0.id": "c-1",
            "gen_ai.completion.0.tool_calls.0.name": "lookup",
            "gen_ai.completion.0.tool_calls.0.arguments": '{"id": 7}',
        },
    ],
)  # fmt: skip
def test_a_model_s_span_tells_the_calls_that_it_asked_for(attributes: dict[str, Any]) -> None:
    account = map_span(span(attributes=attributes))
    assert account.calls == (CALL,)
    assert not [key for key in account.attributes if key.startswith(("llm.output", "gen_ai.completion"))]


def test_messages_in_a_span_s_events_are_read_in_their_old_forms() -> None:
    events = (
        ("gen_ai.system.message", {"content": "Be kind."}),
        ("gen_ai.user.message", {"content": "Where is it?"}),
        ("gen_ai.choice", {"index": 0, "finish_reason": "stop", "message": '{"content": "On its way."}'}),
    )
    account = map_span(span("chat", {"gen_ai.operation.name": "chat"}, events=events))
    assert [message["role"] for message in account.arguments] == ["system", "user"]
    assert (account.result, account.outcome) == ("On its way.", "ok")


def test_messages_in_a_list_of_events_are_read() -> None:
    events = [
        {"event.name": "gen_ai.user.message", "content": "Where?", "role": "user"},
        {"event.name": "gen_ai.choice", "index": 0, "message": {"role": "assistant", "content": "Here."}},
    ]
    account = map_span(span("chat m", {"gen_ai.operation.name": "chat", "events": json.dumps(events)}))
    assert (account.arguments, account.result) == ([events[0]], "Here.")


def test_messages_in_one_event_of_details_are_read() -> None:
    told = {"gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","content":"Hi."}]}]'}
    events = (("gen_ai.client.inference.operation.details", told),)
    assert map_span(span("chat", {"gen_ai.operation.name": "chat"}, events=events)).result == "Hi."


@pytest.mark.parametrize(
    "message",
    [
        {"role": "assistant", "content": "Hi."}, {"role": "model", "parts": [{"text": "Hi."}]},
        {"role": "assistant", "parts": [{"type": "text", "content": "Hi."}]}, {"type": "ai", "data": {"content": "Hi."}},
        {"type": "message", "content": [{"type": "output_text", "text": "Hi.", "annotations": []}]},
        {"lc": 1, "kwargs": {"content": "Hi."}}, [{"type": "text", "text": "Hi."}], "Hi.",
    ],
)  # fmt: skip
def test_the_text_of_a_message_is_found(message: Any) -> None:
    assert text_of(message) == "Hi."


@pytest.mark.parametrize("message", [{"role": "assistant", "parts": [{"type": "image", "uri": "x"}]}, {}, [], None, 7])
def test_what_is_not_all_text_has_none(message: Any) -> None:
    assert text_of(message) is None


@pytest.mark.parametrize(
    "asked",
    [
        "Where?", {"messages": [["user", "Where?"]]}, {"question": "Where?"}, {"messages": [[{"role": "user", "content": "Where?"}]]},
        [{"role": "system", "content": "x"}, {"role": "user", "content": "Where?"}], {"inputs": {"messages": [{"type": "human", "content": "Where?"}]}},
        {"new_message": {"parts": [{"text": "Where?"}], "role": "user"}, "user_id": "u", "session_id": "s"},
        {"task": "Where?", "stream": False, "hint": "x"},
        '[{"role": "user", "content": "Where?"}]', {"contents": [{"role": "user", "parts": [{"text": "Where?"}]}]},
    ],
)  # fmt: skip
def test_what_a_person_asked_is_found(asked: Any) -> None:
    assert query_of(asked) == "Where?"


def test_long_results_of_tools_are_cut_out_of_a_model_s_input_and_nothing_else() -> None:
    long = "x" * 5_000
    response = {"type": "tool_call_response", "id": "c-1", "response": long}
    messages = [{"role": "user", "parts": [{"type": "text", "content": long}]}, {"role": "tool", "parts": [response]}]
    lighter = lightened(messages)
    assert lighter[0] == messages[0]
    assert len(lighter[1]["parts"][0]["response"]) < 300
    assert "5000 characters" in lighter[1]["parts"][0]["response"]
