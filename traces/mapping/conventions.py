"""The table of conventions: what each source calls our concepts. First present value wins, top to bottom.

Read from the published definitions: OpenTelemetry GenAI (also its older forms) and MCP, OpenInference, Traceloop (OpenLLMetry),
Langfuse, MLflow, Logfire and Pydantic AI, Claude Code, LangSmith, Vercel's AI SDK, Google ADK, Haystack, CrewAI, Microsoft's
Agent Framework, AutoGen. docs/otlp-mapping.md shows it.
"""

from collections.abc import Mapping
from typing import NamedTuple

from traces.mapping.account import Role

CLAUDE = ("com.anthropic.claude_code",)
OPENAI_AGENTS = ("openinference.instrumentation.openai_agents",)
LOGFIRE_AGENTS = ("logfire.openai_agents",)
CREWAI = ("openinference.instrumentation.crewai",)
TRACELOOP_LANGCHAIN = ("opentelemetry.instrumentation.langchain",)

AGENT, WORKFLOW = Role.AGENT, Role.WORKFLOW
TOOL, PART, SIDE = Role.TOOL, Role.TOOL_PART, Role.TOOL_SIDE
MODEL, RETRIEVAL, STEP = Role.MODEL, Role.RETRIEVAL, Role.STEP
HANDOFF, GATE, NOISE = Role.HANDOFF, Role.GATE, Role.NOISE
TOOLS = (TOOL, PART, SIDE)
AGENTS = (AGENT, WORKFLOW)
WORK = (AGENT, WORKFLOW, STEP, HANDOFF, GATE)


class RoleRule(NamedTuple):
    """A span has a role if an attribute has one of its words (in any case, blanks as `_`; `*` is any, `=` the span's own
    name), in these instrumentations, without another attribute."""

    name: str
    attribute: str
    roles: Mapping[Role, str]
    scopes: tuple[str, ...] = ()
    without: str = ""


class NameRule(NamedTuple):
    """A span whose name starts or ends so has a role, where no attribute says it."""

    name: str
    role: Role
    prefix: str = ""
    suffix: str = ""


class Rule(NamedTuple):
    """A field is read from an attribute, by a reader of `readers.READERS`; only for these roles, only in (or not in) these instrumentations.

    An attribute `x.y` may also be the member `y` of the JSON object in `x`, for x in OBJECTS, or be carried by an event of the span.
    """

    attribute: str
    read: str = "text"
    roles: tuple[Role, ...] = ()
    scopes: tuple[str, ...] = ()
    never: tuple[str, ...] = ()


# Before all else: a name that says what no attribute does, or what an attribute says wrongly.
FIRST_NAMES = (
    NameRule("name.handoff_to", HANDOFF, prefix="handoff to "),
    NameRule("name.handoff", HANDOFF, suffix=".handoff"),
    NameRule("name.agent_run", AGENT, suffix="Agent.run"),
    NameRule("name.agent_workflow_run", WORKFLOW, suffix="AgentWorkflow.run"),
    NameRule("llama_index.prepare", STEP, suffix="._prepare_chat_with_tools"),
    NameRule("autogen.create", NOISE, prefix="autogen create "),
    NameRule("autogen.publish", NOISE, prefix="autogen publish "),
    NameRule("autogen.send", NOISE, prefix="autogen send "),
    NameRule("autogen.ack", NOISE, prefix="autogen ack"),
)

ROLES = (
    RoleRule("claude_code.span.type", "span.type", {
        AGENT: "interaction", MODEL: "llm_request", TOOL: "tool", PART: "tool.execution",
        GATE: "tool.blocked_on_user", STEP: "*",
    }, scopes=CLAUDE),
    RoleRule("adk.merged_tools", "gen_ai.tool.name", {NOISE: "(merged_tools)"}),
    RoleRule("mcp.tools_call", "mcp.method.name", {SIDE: "tools/call"}, without="openinference.span.kind"),
    RoleRule("traceloop.span.kind", "traceloop.span.kind", {
        WORKFLOW: "workflow", AGENT: "agent", TOOL: "tool", STEP: "task server", HANDOFF: "handoff", NOISE: "session",
    }),
    RoleRule("logfire.openai_agents", "logfire.msg_template", {
        WORKFLOW: "openai_agents_trace:_{name}", AGENT: "agent_run:_{name!r}", TOOL: "function:_{name}",
        MODEL: "chat_completion_with_{gen_ai.request.model!r} responses_api_with_{gen_ai.request.model!r}",
        HANDOFF: "handoff:_{from_agent}_→_{to_agent}", STEP: "*",
    }, scopes=LOGFIRE_AGENTS),
    RoleRule("crewai.crew", "crewai.crew.id", {WORKFLOW: "*"}),
    RoleRule("openinference.openai_agents.trace", "openinference.span.kind", {WORKFLOW: "agent"},
             scopes=OPENAI_AGENTS, without="agent.name"),
    RoleRule("openinference.crewai.crew", "openinference.span.kind", {WORKFLOW: "chain"}, scopes=CREWAI),
    RoleRule("openinference.span.kind", "openinference.span.kind", {
        AGENT: "agent", TOOL: "tool", MODEL: "llm embedding", RETRIEVAL: "retriever reranker",
        STEP: "chain guardrail evaluator prompt unknown",
    }),
    RoleRule("langfuse.observation.type", "langfuse.observation.type", {
        AGENT: "agent", TOOL: "tool", MODEL: "generation embedding", RETRIEVAL: "retriever",
        STEP: "chain span event evaluator guardrail",
    }),
    RoleRule("mlflow.spanType", "mlflow.spanType", {
        AGENT: "agent", WORKFLOW: "workflow", TOOL: "tool", MODEL: "chat_model llm embedding",
        RETRIEVAL: "retriever reranker", STEP: "chain task parser memory guardrail evaluator unknown",
    }),
    RoleRule("langsmith.lc_agent_name", "langsmith.metadata.lc_agent_name", {AGENT: "="}),
    RoleRule("gen_ai.operation.name", "gen_ai.operation.name", {
        AGENT: "invoke_agent agent", WORKFLOW: "invoke_workflow agent_workflow workflow", TOOL: "execute_tool tool_call tool",
        MODEL: "chat chat.completions text_completion text.completions generate_content response llm_request embeddings",
        RETRIEVAL: "retrieval search_memory vector_db_retrieve vectordb", HANDOFF: "handoff",
        STEP: "execute_task task chain framework plan create_agent create_memory update_memory upsert_memory delete_memory",
    }),
    RoleRule("mastra.span.type", "mastra.span.type", {
        AGENT: "agent_run", WORKFLOW: "workflow_run", TOOL: "tool_call mcp_tool_call client_tool_call",
        MODEL: "model_generation model_inference", NOISE: "model_chunk", STEP: "*",
    }),
    RoleRule("langsmith.span.kind", "langsmith.span.kind", {
        AGENT: "agent", TOOL: "tool", MODEL: "llm embedding", RETRIEVAL: "retriever", STEP: "chain prompt parser",
    }),
    RoleRule("ai.operationId", "ai.operationId", {
        TOOL: "ai.toolcall", AGENT: "ai.generatetext ai.streamtext ai.generateobject ai.streamobject",
        MODEL: "ai.generatetext.dogenerate ai.streamtext.dostream ai.generateobject.dogenerate "
               "ai.streamobject.dostream ai.embed.doembed ai.embedmany.doembed",
        STEP: "ai.embed ai.embedmany",
    }),
    RoleRule("llm.request.type", "llm.request.type", {MODEL: "chat completion embedding", RETRIEVAL: "rerank"}),
    RoleRule("mcp.method.name", "mcp.method.name", {NOISE: "*"}),
    RoleRule("db.vector.query", "db.vector.query.top_k", {RETRIEVAL: "*"}),
    RoleRule("ai.toolCall.name", "ai.toolCall.name", {TOOL: "*"}),
    RoleRule("gen_ai.tool.name", "gen_ai.tool.name", {TOOL: "*"}),
    RoleRule("pydantic_ai.agent_name", "agent_name", {AGENT: "*"}, scopes=("pydantic-ai",)),
    RoleRule("gen_ai.request.model", "gen_ai.request.model", {MODEL: "*"}),
    RoleRule("llm.model_name", "llm.model_name", {MODEL: "*"}),
)  # fmt: skip

LAST_NAMES = (
    NameRule("haystack.agent.run", AGENT, prefix="haystack.agent.run"),
    NameRule("haystack.agent.step.llm", MODEL, prefix="haystack.agent.step.llm"),
    NameRule("haystack.agent.step.tool", TOOL, prefix="haystack.agent.step.tool"),
    NameRule("haystack.pipeline.run", WORKFLOW, prefix="haystack.pipeline.run"),
    NameRule("haystack.async_pipeline.run", WORKFLOW, prefix="haystack.async_pipeline.run"),
    NameRule("agent_framework.workflow.run", WORKFLOW, prefix="workflow.run"),
    NameRule("agent_framework.message.send", NOISE, prefix="message.send"),
    NameRule("agent_framework.edge_group", NOISE, prefix="edge_group.process"),
    NameRule("adk.call_llm", MODEL, prefix="call_llm"),
    NameRule("adk.agent_run", AGENT, prefix="agent_run ["),
)


def _texts(*attributes: str, roles: tuple[Role, ...] = (), read: str = "text") -> tuple[Rule, ...]:
    return tuple(Rule(attribute, read=read, roles=roles) for attribute in attributes)


def _values(*attributes: str, roles: tuple[Role, ...]) -> tuple[Rule, ...]:
    return _texts(*attributes, roles=roles, read="value")


FIELDS: dict[str, tuple[Rule, ...]] = {
    "request_id": _texts(
        "request.id", "request_id", "http.request.header.x-request-id", "http.request.header.x_request_id", "metadata.request_id",
        "traceloop.association.properties.request_id", "langfuse.trace.metadata.request_id",
        "langfuse.observation.metadata.request_id", "mlflow.traceTag.request_id", "langsmith.metadata.request_id",
        "ai.telemetry.metadata.request_id", "ai.telemetry.metadata.requestId", "mastra.metadata.requestId",
    ),
    "session_id": _texts(
        "session.id", "gen_ai.conversation.id", "traceloop.association.properties.session_id",
        "traceloop.association.properties.thread_id", "mlflow.trace.session", "langfuse.session.id", "session_id",
        "metadata.session_id", "metadata.thread_id", "gcp.vertex.agent.session_id", "langsmith.metadata.session_id",
        "langsmith.metadata.thread_id", "langsmith.metadata.conversation_id", "ai.telemetry.metadata.sessionId",
        "mastra.metadata.sessionId", "mastra.metadata.threadId",
    ),
    "user": (
        Rule("enduser.id"),
        Rule("user.id", never=CLAUDE),  # there it is the installation's hash
        *_texts(
            "langfuse.user.id", "user_id", "traceloop.association.properties.user_id", "metadata.user_id",
            "mlflow.trace.user", "gen_ai.user", "llm.user", "langsmith.metadata.user_id",
            "ai.telemetry.metadata.userId", "mastra.metadata.userId", "metadata.user",
        ),
    ),
    "agent": (
        Rule("subagent_type", roles=(TOOL,), scopes=CLAUDE),
        *_texts("gen_ai.agent.name", "agent_name", "agent.name"),
        Rule("graph.node.id", roles=AGENTS),
        *_texts(
            "crewai.agent.role", "metadata.lc_agent_name", "traceloop.association.properties.lc_agent_name",
            "langsmith.metadata.lc_agent_name", "langfuse.observation.metadata.lc_agent_name",
        ),
        *_texts("agno.step.agent_name", "ai.telemetry.functionId"),
        *_texts("traceloop.entity.name", "mlflow.spanFunctionName", roles=(AGENT,)),
        Rule("name", roles=(AGENT,), scopes=LOGFIRE_AGENTS),
    ),
    "agent_run_id": (
        *_texts("gen_ai.agent.call.id", "agent_id", "gcp.vertex.agent.invocation_id", "agno.run.id"),
        Rule("gen_ai.agent.id", scopes=TRACELOOP_LANGCHAIN),  # elsewhere it is the id of a definition
    ),
    "name": (
        *_texts(
            "gen_ai.tool.name", "tool.name", "tool_name", "ai.toolCall.name", "haystack.tool.name",
            "traceloop.entity.name", "mlflow.spanFunctionName", roles=TOOLS, read="tool_name",
        ),
        Rule("name", roles=(TOOL, WORKFLOW), scopes=LOGFIRE_AGENTS),
        *_texts("gen_ai.workflow.name", "traceloop.workflow.name", "workflow.name", "crewai.crew.name", "traceloop.entity.name", roles=(WORKFLOW,)),
    ),
    "call_id": _texts(
        "gen_ai.tool.call.id", "tool_use_id", "tool.id", "ai.toolCall.id", "tool.call_id", "tool_call_id", roles=TOOLS
    ),
    "arguments": (
        *_values(
            "gen_ai.tool.call.arguments", "tool_arguments", "ai.toolCall.args", "gcp.vertex.agent.tool_call_args",
            "haystack.agent.step.tool.input", "mcp.request.argument", roles=TOOLS,
        ),
        *_values("gen_ai.input.messages", "gen_ai.retrieval.query.text", roles=(MODEL, RETRIEVAL)),
        Rule("user_prompt", roles=(AGENT,), scopes=CLAUDE),
        *_values(
            "input.value", "langfuse.observation.input", "mlflow.spanInputs", "traceloop.entity.input", "gen_ai.task.input",
            "gen_ai.prompt", roles=tuple(Role),
        ),
        *_values(
            "gen_ai.input.messages", "gen_ai.user.message", "ai.prompt.messages", "ai.prompt", "crewai.task.description",
            "haystack.agent.input", "haystack.component.input", "haystack.pipeline.input_data",
            "mastra.agent_run.input", "mastra.workflow_run.input", "mastra.workflow_step.input",
            "haystack.agent.step.llm.input", "gcp.vertex.agent.llm_request", "db.query.text", "reranker.query",
            roles=(*WORK, MODEL, RETRIEVAL),
        ),
        Rule("input", read="value", roles=(TOOL,), scopes=LOGFIRE_AGENTS),
        Rule("gen_ai.user.message", read="told_content", roles=TOOLS),  # Strands Agents
        Rule("events", read="events_asked", roles=(MODEL,)),
        Rule("pydantic_ai.all_messages", read="first_user", roles=AGENTS),
        Rule("all_messages_events", read="first_user", roles=AGENTS),
    ),
    "result": (
        *_values("gen_ai.tool.call.result", "tool_response", "ai.toolCall.result", roles=TOOLS),
        Rule("gcp.vertex.agent.tool_response", read="unless_empty", roles=TOOLS),
        *_values("haystack.agent.step.tool.output", "mcp.response.value", "tool.output.output", "tool.output.content", "tool.output.diff", roles=TOOLS),
        *_values("gen_ai.output.messages", "gen_ai.retrieval.documents", roles=(MODEL, RETRIEVAL)),
        *_values(
            "output.value", "langfuse.observation.output", "mlflow.spanOutputs", "traceloop.entity.output",
            "gen_ai.task.output", roles=tuple(Role),
        ),
        Rule("gen_ai.completion", read="unless_empty"),
        Rule("output", read="value", roles=(TOOL,), scopes=LOGFIRE_AGENTS),
        Rule("gen_ai.choice", read="told_content", roles=TOOLS),
        Rule("events", read="events_answered", roles=(MODEL,)),
        Rule("final_result", read="value", roles=AGENTS),
        *_values(
            "gen_ai.output.messages", "gen_ai.choice", "ai.response.text", "ai.response.object",
            "haystack.agent.output", "haystack.component.output", "haystack.pipeline.output_data",
            "mastra.agent_run.output", "mastra.workflow_run.output", "mastra.workflow_step.output",
            "haystack.agent.step.llm.output", "gcp.vertex.agent.llm_response", "crewai.crew.result",
            "crewai.agent.result", "crewai.task.result", roles=(*WORK, MODEL),
        ),
    ),
    "asked": _values("ai.response.toolCalls", roles=(MODEL,)),
    "phase": (
        *_texts(
            "metadata.langgraph_node", "traceloop.association.properties.langgraph_node",
            "langsmith.metadata.langgraph_node", "langfuse.observation.metadata.langgraph_node",
        ),
        *_texts("gen_ai.task.name", "traceloop.entity.name", "executor.id", "task_name", roles=(STEP, GATE)),
    ),
    "error_type": _texts("error.type", "error_class"),
    "error": (
        Rule("error", scopes=CLAUDE),
        *_texts("error.message", "langfuse.observation.status_message", "exception.message"),
    ),
    "level": _texts("langfuse.observation.level", "gen_ai.task.status", "gen_ai.tool.status", "tool.status"),
    "succeeded": (Rule("success", read="flag", scopes=CLAUDE),),
    "decision": (Rule("decision", roles=(GATE,)),),
    "deferral": _texts("pydantic_ai.tool.deferral.name"),
    "model": (
        *_texts(
            "gen_ai.response.model", "gen_ai.request.model", "llm.response.model_name", "llm.model_name", "llm.request.model_name",
            "langfuse.observation.model.name", "ai.response.model", "ai.model.id", "embedding.model_name",
            "reranker.model_name", roles=(MODEL, RETRIEVAL), read="text",
        ),
        Rule("model", read="text", roles=(MODEL,), scopes=CLAUDE),
        *_texts("mlflow.llm.model", "model_name", roles=(MODEL, AGENT), read="text"),
    ),
    "input_tokens": (
        *_texts(
            "gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.token_count.prompt",
            "langfuse.observation.usage_details.input", "ai.usage.inputTokens", "ai.usage.promptTokens",
            "mlflow.chat.tokenUsage.input_tokens", "llm.usage.prompt_tokens", "gen_ai.aggregated_usage.input_tokens",
            read="count",
        ),
        Rule("input_tokens", read="count", scopes=CLAUDE),
    ),
    "output_tokens": (
        *_texts(
            "gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.token_count.completion",
            "langfuse.observation.usage_details.output", "ai.usage.outputTokens", "ai.usage.completionTokens",
            "mlflow.chat.tokenUsage.output_tokens", "llm.usage.completion_tokens", "gen_ai.aggregated_usage.output_tokens",
            read="count",
        ),
        Rule("output_tokens", read="count", scopes=CLAUDE),
    ),
    "cost_usd": _texts(
        "langfuse.observation.cost_details.total", "llm.cost.total", "cost_usd", "gen_ai.usage.cost", "operation.cost",
        "mlflow.llm.cost.total_cost", read="cost",
    ),
}  # fmt: skip

# Attributes whose value is a JSON object that holds fields: `metadata.request_id` is `request_id` in it.
OBJECTS = frozenset({
    "metadata", "langfuse.observation.usage_details", "langfuse.observation.cost_details", "mlflow.chat.tokenUsage",
    "mlflow.llm.cost", "langfuse.trace.metadata", "traceloop.association.properties",
})  # fmt: skip

# Events that carry what elsewhere is an attribute of the span: event name to the prefix of its attributes' names.
EVENTS = {
    "tool.output": "tool.output.",
    "gen_ai.client.inference.operation.details": "",
    "gen_ai.content.prompt": "",
    "gen_ai.content.completion": "",
}
# Older events that carry one message each: they become a list of messages under the event's name.
MESSAGE_EVENTS = {
    "gen_ai.system.message": ("gen_ai.user.message", "system"),
    "gen_ai.user.message": ("gen_ai.user.message", "user"),
    "gen_ai.assistant.message": ("gen_ai.user.message", "assistant"),
    "gen_ai.tool.message": ("gen_ai.user.message", "tool"),
    "gen_ai.choice": ("gen_ai.choice", "assistant"),
}

# What only repeats other spans or fields, or tells how to read them: kept nowhere.
REPEATS = frozenset({
    "pydantic_ai.all_messages", "all_messages_events", "pydantic_ai.variable_instructions", "logfire.json_schema",
    "logfire.metrics", "logfire.msg_template", "input.mime_type", "output.mime_type", "model_request_parameters",
    "llm.input_messages", "llm.output_messages", "gen_ai.task.input", "gen_ai.task.output", "langfuse.trace.input",
    "langfuse.trace.output", "ai.response.text", "ai.prompt", "ai.prompt.messages", "ai.response.toolCalls",
})  # fmt: skip
# Families of numbered attributes: prefix to the field they make together, as a list of objects.
INDEXED = {
    "llm.input_messages.": "arguments",
    "llm.output_messages.": "result",
    "gen_ai.prompt.": "arguments",
    "gen_ai.completion.": "result",
    "retrieval.documents.": "result",
    "reranker.output_documents.": "result",
}
# What a name says before or after what it names.
NAME_PREFIXES = (
    "invoke_agent ", "create_agent ", "execute_tool ", "tools/call ", "MCP send tools/call ", "invoke_workflow ",
    "execute_task ", "agent_run [", "tool ",
)  # fmt: skip
# Steps that are phases of an agent's work, by their names, where their convention only says that they are steps.
PHASE_NAMES = ("Step ", "turn", "plan", "haystack.agent.step", "executor.process ")
NAME_SUFFIXES = (".agent", ".run", ".tool", ".workflow", ".kickoff", ".task", "]")
