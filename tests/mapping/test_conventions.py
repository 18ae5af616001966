"""Each convention's words are read as ours: small spans written from the published definitions."""

from typing import Any

import pytest

from tests.mapping.making import span
from traces.mapping import map_span
from traces.mapping.account import Role

CLAUDE = "com.anthropic.claude_code.tracing"
OPENAI_AGENTS = "openinference.instrumentation.openai_agents"


@pytest.mark.parametrize(
    ("attributes", "role"),
    [
        ({"gen_ai.operation.name": "invoke_agent"}, Role.AGENT),
        ({"gen_ai.operation.name": "invoke_workflow"}, Role.WORKFLOW),
        ({"gen_ai.operation.name": "execute_tool"}, Role.TOOL),
        ({"gen_ai.operation.name": "chat"}, Role.MODEL),
        ({"gen_ai.operation.name": "generate_content"}, Role.MODEL),
        ({"gen_ai.operation.name": "retrieval"}, Role.RETRIEVAL),
        ({"gen_ai.operation.name": "search_memory"}, Role.RETRIEVAL),
        ({"gen_ai.operation.name": "plan"}, Role.STEP),
        ({"openinference.span.kind": "AGENT"}, Role.AGENT),
        ({"openinference.span.kind": "TOOL"}, Role.TOOL),
        ({"openinference.span.kind": "LLM"}, Role.MODEL),
        ({"openinference.span.kind": "CHAIN"}, Role.STEP),
        ({"openinference.span.kind": "RETRIEVER"}, Role.RETRIEVAL),
        ({"openinference.span.kind": "RERANKER"}, Role.RETRIEVAL),
        ({"traceloop.span.kind": "workflow", "gen_ai.operation.name": "invoke_agent"}, Role.WORKFLOW),
        ({"traceloop.span.kind": "task", "gen_ai.operation.name": "invoke_agent"}, Role.STEP),
        ({"traceloop.span.kind": "agent"}, Role.AGENT),
        ({"traceloop.span.kind": "handoff"}, Role.HANDOFF),
        ({"langfuse.observation.type": "agent"}, Role.AGENT),
        ({"langfuse.observation.type": "generation"}, Role.MODEL),
        ({"langfuse.observation.type": "retriever"}, Role.RETRIEVAL),
        ({"langfuse.observation.type": "guardrail"}, Role.STEP),
        ({"mlflow.spanType": '"CHAT_MODEL"'}, Role.MODEL),
        ({"mlflow.spanType": '"TOOL"'}, Role.TOOL),
        ({"mlflow.spanType": "RETRIEVER"}, Role.RETRIEVAL),
        ({"langsmith.span.kind": "llm"}, Role.MODEL),
        ({"langsmith.span.kind": "tool"}, Role.TOOL),
        ({"mastra.span.type": "agent_run"}, Role.AGENT), ({"mastra.span.type": "tool_call"}, Role.TOOL),
        ({"ai.operationId": "ai.toolCall"}, Role.TOOL),
        ({"ai.operationId": "ai.generateText"}, Role.AGENT),
        ({"ai.operationId": "ai.generateText.doGenerate"}, Role.MODEL),
        ({"mcp.method.name": "tools/call", "gen_ai.operation.name": "execute_tool"}, Role.TOOL_SIDE),
        ({"mcp.method.name": "tools/list"}, Role.NOISE),
        ({"llm.request.type": "chat", "gen_ai.system": "OpenAI"}, Role.MODEL),
        ({"db.system": "pinecone", "db.vector.query.top_k": 5}, Role.RETRIEVAL),
        ({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "(merged tools)"}, Role.NOISE),
        ({"http.request.method": "POST"}, Role.STEP),
        ({"openinference.span.kind": "SOMETHING_NEW"}, Role.STEP),
    ],
)  # fmt: skip
def test_a_span_s_role_is_what_its_convention_says(attributes: dict[str, Any], role: Role) -> None:
    assert map_span(span(attributes=attributes)).role == role


@pytest.mark.parametrize(
    ("kind", "role"),
    [
        ("interaction", Role.AGENT), ("llm_request", Role.MODEL), ("tool", Role.TOOL), ("hook", Role.STEP),
        ("tool.execution", Role.TOOL_PART), ("tool.blocked_on_user", Role.GATE),
    ],
)  # fmt: skip
def test_claude_code_s_spans_are_told_by_their_type_and_only_there(kind: str, role: Role) -> None:
    assert map_span(span(attributes={"span.type": kind}, scope=CLAUDE)).role == role
    assert map_span(span(attributes={"span.type": kind})).role == Role.STEP


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("handoff to closer", Role.HANDOFF), ("triage → closer.handoff", Role.HANDOFF),
        ("haystack.agent.run", Role.AGENT), ("haystack.agent.step.llm", Role.MODEL),
        ("haystack.agent.step.tool", Role.TOOL), ("haystack.pipeline.run", Role.WORKFLOW),
        ("workflow.run", Role.WORKFLOW), ("message.send", Role.NOISE), ("call_llm", Role.MODEL), ("main", Role.STEP),
    ],
)  # fmt: skip
def test_a_name_says_the_role_where_no_attribute_does(name: str, role: Role) -> None:
    assert map_span(span(name)).role == role


@pytest.mark.parametrize(
    ("name", "scope", "attributes", "role"),
    [
        ("Agent run: {name!r}", "logfire.openai_agents", {"logfire.msg_template": "Agent run: {name!r}", "name": "triage"}, Role.AGENT),
        ("triage", "langsmith", {"langsmith.span.kind": "chain", "gen_ai.operation.name": "chain", "langsmith.metadata.lc_agent_name": "triage"}, Role.AGENT),
        ("tools", "langsmith", {"langsmith.span.kind": "chain", "gen_ai.operation.name": "chain", "langsmith.metadata.lc_agent_name": "triage"}, Role.STEP),
        ("crew.kickoff", "openinference.instrumentation.crewai", {"openinference.span.kind": "CHAIN"}, Role.WORKFLOW),
        ("agent run", "pydantic-ai", {"agent_name": "triage", "model_name": "m"}, Role.AGENT),
        ("FunctionAgent.run", "openinference.instrumentation.llama_index", {"openinference.span.kind": "CHAIN"}, Role.AGENT),
        ("crewai.workflow", "crewai", {"crewai.crew.id": "1", "gen_ai.operation.name": "invoke_agent"}, Role.WORKFLOW),
        ("autogen publish topic", "autogen", {"messaging.operation": "publish"}, Role.NOISE),
    ],
)  # fmt: skip
def test_an_instrumentation_s_own_ways_are_known(name: str, scope: str, attributes: dict[str, Any], role: Role) -> None:
    account = map_span(span(name, attributes, scope=scope))
    assert account.role == role
    assert role != Role.AGENT or account.agent in ("triage", "FunctionAgent")


def test_the_trace_that_openai_agents_calls_an_agent_holds_agents() -> None:
    kind = {"openinference.span.kind": "AGENT"}
    assert map_span(span("refunds", kind, scope=OPENAI_AGENTS)).role == Role.WORKFLOW
    assert map_span(span("triage", kind | {"agent.name": "triage"}, scope=OPENAI_AGENTS)).role == Role.AGENT


@pytest.mark.parametrize(
    "attributes",
    [
        {"request.id": "r-1"}, {"request_id": "r-1"}, {"http.request.header.x-request-id": ["r-1"]},
        {"metadata": '{"request_id": "r-1"}'}, {"metadata": {"request_id": "r-1"}},
        {"traceloop.association.properties.request_id": "r-1"}, {"langfuse.trace.metadata.request_id": '"r-1"'},
        {"mlflow.traceTag.request_id": "r-1"}, {"langsmith.metadata.request_id": "r-1"},
        {"ai.telemetry.metadata.requestId": "r-1"},
    ],
)  # fmt: skip
def test_the_request_id_is_found(attributes: dict[str, Any]) -> None:
    assert map_span(span(attributes=attributes)).run.request_id == "r-1"


def test_what_a_process_says_of_its_request_is_kept_apart() -> None:
    run = map_span(span(attributes={"request.id": "r-1"}, resource={"request.id": "r-0"})).run
    assert (run.request_id, run.resource_request_id) == ("r-1", "r-0")


@pytest.mark.parametrize(
    "attributes",
    [
        {"session.id": "s-1"}, {"gen_ai.conversation.id": "s-1"}, {"mlflow.trace.session": '"s-1"'},
        {"traceloop.association.properties.thread_id": "s-1"}, {"metadata": '{"thread_id": "s-1"}'},
        {"session_id": "[Scrubbed due to 'session']", "gen_ai.conversation.id": "s-1"},
        {"mcp.session.id": "transport", "gcp.vertex.agent.session_id": "s-1"},
    ],
)  # fmt: skip
def test_the_session_is_found_and_never_mcp_s_own(attributes: dict[str, Any]) -> None:
    assert map_span(span(attributes=attributes)).run.session_id == "s-1"


@pytest.mark.parametrize(
    "attributes",
    [
        {"enduser.id": "u-1", "user.id": "other"}, {"user.id": "u-1"}, {"langfuse.user.id": "u-1"}, {"user_id": "u-1"},
        {"gen_ai.user": "u-1"}, {"llm.user": "u-1"}, {"metadata": '{"user_id": "u-1"}'}, {"mlflow.trace.user": '"u-1"'},
    ],
)  # fmt: skip
def test_the_user_is_found(attributes: dict[str, Any]) -> None:
    assert map_span(span(attributes=attributes)).run.user == "u-1"


def test_claude_code_s_user_id_is_an_installation_and_no_user() -> None:
    assert map_span(span(attributes={"user.id": "8feb30", "span.type": "tool"}, scope=CLAUDE)).run.user == ""


@pytest.mark.parametrize(
    ("name", "attributes"),
    [
        ("invoke_agent triage", {"gen_ai.operation.name": "invoke_agent"}),
        ("x", {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "triage"}),
        ("triage.agent", {"traceloop.span.kind": "agent"}),
        ("triage.run", {"openinference.span.kind": "AGENT"}),
        ("x", {"openinference.span.kind": "AGENT", "graph.node.id": "triage"}),
        ("x", {"openinference.span.kind": "AGENT", "metadata": '{"lc_agent_name": "triage"}'}),
        ("x", {"traceloop.span.kind": "agent", "crewai.agent.role": "triage"}),
        ("ai.generateText", {"ai.operationId": "ai.generateText", "ai.telemetry.functionId": "triage"}),
    ],
)
def test_an_agent_is_called_by_its_name(name: str, attributes: dict[str, Any]) -> None:
    account = map_span(span(name, attributes))
    assert (account.role, account.name, account.agent) == (Role.AGENT, "triage", "triage")


def test_an_agent_s_run_is_told_from_its_definition() -> None:
    definition = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.id": "asst_1"}
    assert map_span(span(attributes=definition)).agent_run_id == ""
    langgraph = span(attributes=definition, scope="opentelemetry.instrumentation.langchain")
    assert map_span(langgraph).agent_run_id == "asst_1"
    assert map_span(span(attributes=definition | {"gen_ai.agent.call.id": "run-1"})).agent_run_id == "run-1"


TOOLS: list[tuple[str, str, dict[str, Any]]] = [
    ("execute_tool lookup", "", {
        "gen_ai.operation.name": "execute_tool", "gen_ai.tool.call.id": "c-1",
        "gen_ai.tool.call.arguments": {"id": 7}, "gen_ai.tool.call.result": {"total": 41.5},
    }),
    ("running tool", "pydantic-ai", {
        "gen_ai.tool.name": "lookup", "gen_ai.tool.call.id": "c-1", "tool_arguments": '{"id": 7}',
        "tool_response": '{"total": 41.5}',
    }),
    ("x", "", {
        "openinference.span.kind": "TOOL", "tool.name": "lookup", "tool.id": "c-1", "input.value": '{"id": 7}',
        "output.value": '{"total": 41.5}',
    }),
    ("lookup", "", {
        "openinference.span.kind": "TOOL", "input.value": '{"args": [], "sanitize_inputs_outputs": true, "kwargs": {"id": 7}}',
        "output.value": '{"type": "tool", "data": {"content": "{\\"total\\": 41.5}", "tool_call_id": "c-1", "status": "success"}}',
    }),
    ("lookup.tool", "", {
        "traceloop.span.kind": "tool", "traceloop.entity.name": "lookup", "gen_ai.tool.call.id": "c-1",
        "traceloop.entity.input": '{"input_str": "{\'id\': 7}", "tags": [], "metadata": {}}',
        "traceloop.entity.output": '{"output": {"lc": 1, "id": ["a", "ToolMessage"], "kwargs": {"content": "{\\"total\\": 41.5}"}}}',
    }),
    ("lookup.tool", "", {
        "traceloop.span.kind": "tool", "traceloop.entity.name": "lookup", "tool_call_id": "c-1",
        "traceloop.entity.input": '{"tool_name": "lookup", "arguments": {"id": 7}}',
        "traceloop.entity.output": '{"content": [{"type": "text", "text": "{\\"total\\": 41.5}"}], "isError": false}',
    }),
    ("lookup", "langfuse-sdk", {
        "langfuse.observation.type": "tool", "langfuse.observation.input": '{"args": [], "kwargs": {"id": 7}}',
        "langfuse.observation.output": '{"total": 41.5}', "tool_call_id": "c-1",
    }),
    ("lookup", "mlflow.tracing.provider", {
        "mlflow.spanType": '"TOOL"', "mlflow.spanFunctionName": '"lookup"', "mlflow.spanInputs": '{"id": 7}',
        "mlflow.spanOutputs": '{"total": 41.5}', "tool_call_id": "c-1",
    }),
    ("ai.toolCall", "ai", {
        "ai.operationId": "ai.toolCall", "ai.toolCall.name": "lookup", "ai.toolCall.id": "c-1",
        "ai.toolCall.args": '{"id": 7}', "ai.toolCall.result": '{"total": 41.5}',
    }),
    ("execute_tool lookup", "gcp.vertex.agent", {
        "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "lookup", "gen_ai.tool.call.id": "c-1",
        "gcp.vertex.agent.tool_call_args": '{"id": 7}', "gcp.vertex.agent.tool_response": '{"result": {"total": 41.5}}',
    }),
    ("haystack.agent.step.tool", "haystack", {
        "haystack.tool.name": "lookup", "haystack.agent.step.tool.input": '{"id": 7}', "tool_call_id": "c-1",
        "haystack.agent.step.tool.output": '{"total": 41.5}',
    }),
    ("Function: {name}", "logfire.openai_agents", {
        "logfire.msg_template": "Function: {name}", "name": "lookup", "input": '{"id": 7}', "output": '{"total": 41.5}',
        "tool_call_id": "c-1",
    }),
    ("lookup", "langsmith", {
        "langsmith.span.kind": "tool", "gen_ai.tool.name": "lookup", "gen_ai.tool.call.id": "c-1", "gen_ai.prompt": '{"id": 7}',
        "gen_ai.completion": '{"output": {"content": "{\\"total\\": 41.5}", "type": "tool", "tool_call_id": "c-1"}}',
    }),
    ("FunctionTool.acall", "openinference.instrumentation.llama_index", {
        "openinference.span.kind": "TOOL", "tool.name": "lookup", "input.value": '{"kwargs": {"id": 7}}', "tool_call_id": "c-1",
        "output.value": '{"blocks": [], "tool_name": "lookup", "raw_output": {"total": 41.5}, "is_error": false}',
    }),
    ("tools/call lookup", "mcp", {
        "mcp.method.name": "tools/call", "gen_ai.tool.name": "lookup", "gen_ai.tool.call.arguments": '{"id": 7}',
        "gen_ai.tool.call.result": '{"total": 41.5}', "gen_ai.tool.call.id": "c-1",
    }),
]  # fmt: skip


@pytest.mark.parametrize(("name", "scope", "attributes"), TOOLS)
def test_a_tool_call_is_read_the_same_from_each_source(name: str, scope: str, attributes: dict[str, Any]) -> None:
    account = map_span(span(name, attributes, scope=scope))
    assert (account.name, account.call_id, account.outcome) == ("lookup", "c-1", "ok")
    assert (account.arguments, account.result) == ({"id": 7}, {"total": 41.5})


def test_a_tool_call_is_read_from_its_span_s_events() -> None:
    events = (
        ("gen_ai.tool.message", {"role": "tool", "content": '{"id": 7}', "id": "c-1"}),
        ("gen_ai.choice", {"message": '[{"text": "{\\"total\\": 41.5}"}]', "id": "c-1"}),
    )
    told = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "lookup", "gen_ai.tool.status": "success"}
    account = map_span(span("execute_tool lookup", told, events=events))
    assert (account.arguments, account.result, account.outcome) == ({"id": 7}, {"total": 41.5}, "ok")
    failed = map_span(span("execute_tool lookup", told | {"gen_ai.tool.status": "error"}, events=events))
    assert failed.outcome == "error"


def test_a_tool_of_an_mcp_server_goes_by_its_own_name() -> None:
    attributes = {"span.type": "tool", "tool_name": "mcp__orders__lookup_order", "tool_use_id": "toolu_1"}
    account = map_span(span("claude_code.tool", attributes, scope=CLAUDE))
    assert (account.name, account.call_id, account.rules["name"]) == ("lookup_order", "toolu_1", "tool_name")


def test_what_a_source_does_not_tell_is_not_read_as_told() -> None:
    untold = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.call.id": "<not specified>",
        "gcp.vertex.agent.tool_call_args": "<not specified>",
        "gcp.vertex.agent.tool_response": "{}",
    }
    account = map_span(span("execute_tool x", untold, scope="gcp.vertex.agent"))
    assert (account.call_id, account.arguments, account.result, account.outcome) == ("", None, None, "unreported")


MODELS: list[dict[str, Any]] = [
    {"gen_ai.operation.name": "chat", "gen_ai.response.model": "m-1", "gen_ai.usage.input_tokens": 40, "gen_ai.usage.output_tokens": 7},
    {"gen_ai.system": "openai", "gen_ai.request.model": "m-1", "gen_ai.usage.prompt_tokens": 40, "gen_ai.usage.completion_tokens": 7},
    {"openinference.span.kind": "LLM", "llm.model_name": "m-1", "llm.token_count.prompt": 40, "llm.token_count.completion": 7},
    {"langfuse.observation.type": "generation", "langfuse.observation.model.name": "m-1", "langfuse.observation.usage_details": '{"input": 40, "output": 7}'},
    {"mlflow.spanType": '"LLM"', "mlflow.llm.model": '"m-1"', "mlflow.chat.tokenUsage": '{"input_tokens": 40, "output_tokens": 7}'},
    {"ai.operationId": "ai.streamText.doStream", "ai.model.id": "m-1", "ai.usage.promptTokens": 40, "ai.usage.completionTokens": 7},
]  # fmt: skip


@pytest.mark.parametrize("attributes", MODELS)
def test_a_model_call_tells_its_model_and_its_tokens(attributes: dict[str, Any]) -> None:
    account = map_span(span(attributes=attributes))
    assert account.role == Role.MODEL
    assert account.attributes["model"] == {"model": "m-1", "input_tokens": 40, "output_tokens": 7}


def test_an_agent_s_sum_of_tokens_stays_with_the_agent() -> None:
    told = {"gen_ai.operation.name": "invoke_agent", "gen_ai.aggregated_usage.input_tokens": 206}
    account = map_span(span(attributes=told))
    assert account.role == Role.AGENT
    assert account.model is not None
    assert account.model.input_tokens == 206


def test_each_field_says_which_rule_gave_it() -> None:
    attributes = {
        "openinference.span.kind": "TOOL",
        "tool.name": "lookup",
        "input.value": '{"args": [], "kwargs": {"a": 1}}',
    }
    rules = map_span(span(attributes=attributes)).rules
    assert rules["role"] == "openinference.span.kind"
    assert rules["name"] == "tool.name"
    assert rules["arguments"] == "input.value > unwrap.args_kwargs"
    assert rules["outcome"] == "no_result"


def test_what_was_taken_is_not_kept_twice_and_what_was_not_is_kept() -> None:
    attributes = {
        "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "lookup", "tool_name": "mcp__s__lookup",
        "gen_ai.tool.call.result": "same", "traceloop.entity.output": "same", "output.value": "other", "team": "billing",
    }  # fmt: skip
    kept = map_span(span("execute_tool lookup", attributes)).attributes
    assert kept["team"] == "billing"
    assert kept["output.value"] == "other"
    assert not kept.keys() & {"gen_ai.tool.name", "gen_ai.tool.call.result", "traceloop.entity.output"}
    assert (kept["otel.span.name"], kept["otel.scope.name"]) == ("execute_tool lookup", "made.up")


@pytest.mark.parametrize(
    ("name", "attributes", "phase"),
    [
        ("model", {"openinference.span.kind": "CHAIN", "metadata": '{"langgraph_node": "model"}'}, "model"),
        ("x", {"traceloop.association.properties.langgraph_node": "tools"}, "tools"),
        ("Step 2", {"openinference.span.kind": "CHAIN"}, "Step 2"), ("turn", {"openinference.span.kind": "CHAIN"}, "turn"),
        ("execute_task plan", {"traceloop.span.kind": "task", "gen_ai.task.name": "plan"}, "plan"),
        ("executor.process writer", {"executor.id": "writer"}, "writer"), ("chat", {"gen_ai.operation.name": "chat"}, "model"),
        ("haystack.agent.step.tool", {}, "tool"), ("POST /chat", {}, ""),
    ],
)  # fmt: skip
def test_the_phase_of_work_is_found_or_follows_from_the_role(name: str, attributes: dict[str, Any], phase: str) -> None:
    assert map_span(span(name, attributes)).phase == phase
