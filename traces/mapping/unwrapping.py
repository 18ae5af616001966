"""What frameworks wrap arguments and results into, taken off layer by layer, each by a rule with a name."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from traces.mapping.account import Call, Role
from traces.mapping.conventions import TOOLS
from traces.mapping.messages import role_of, text_of
from traces.mapping.values import from_repr, parsed

_LAYERS_MAX = 5
_RESULT_KEYS = frozenset({"output", "outputs", "kwargs", "tags", "metadata"})
_MCP_KEYS = frozenset({
    "content", "isError", "is_error", "structuredContent", "structured_content", "_meta", "meta", "data",
})  # fmt: skip
_CALL_KEYS = frozenset({"args", "kwargs", "sanitize_inputs_outputs"})
_INTERRUPT = "Interrupt(value="
INTERRUPT_MAX = 16_000


@dataclass(slots=True)
class Unwrapped:
    """A payload without its wrappings, the rules that took them off, and what was written on them."""

    value: Any
    rules: list[str] = field(default_factory=list)
    call_id: str = ""
    has_failed: bool = False


class _Layer(NamedTuple):
    name: str
    take_off: Callable[[Any, Unwrapped], Any]
    of_tools: bool | None = None  # None: of any span


_SAME = object()


def unwrapped_arguments(value: Any, role: Role) -> Unwrapped:
    """What was asked for, as the caller wrote it."""
    return _unwrapped(value, role, _ARGUMENTS)


def unwrapped_result(value: Any, role: Role) -> Unwrapped:
    """What came back. `call_id` and `has_failed` are what a LangChain or MCP wrapping says of it."""
    return _unwrapped(value, role, _RESULTS)


def actions_of(message: str) -> tuple[Call, ...]:
    """The calls that LangGraph's interrupt holds back for a person, from its message, which is Python's repr of it."""
    text = message[:INTERRUPT_MAX]
    begin, end = text.find(_INTERRUPT), text.rfind("}, id=")
    told = from_repr(text[begin + len(_INTERRUPT) : end + 1]) if 0 <= begin < end else None
    actions = told.get("action_requests") if isinstance(told, dict) else None
    if not isinstance(actions, list):
        return ()
    named = [action for action in actions[:20] if isinstance(action, dict)]
    return tuple(
        ("", str(action.get("name") or action.get("action") or ""), action.get("args", action.get("arguments")))
        for action in named
    )


def _unwrapped(value: Any, role: Role, layers: tuple[_Layer, ...]) -> Unwrapped:
    state = Unwrapped(value)
    is_tool = role in TOOLS
    for _ in range(_LAYERS_MAX):
        if not isinstance(state.value, dict | list):
            break
        for layer in layers:
            if layer.of_tools is not None and layer.of_tools != is_tool:
                continue
            inner = layer.take_off(state.value, state)
            if inner is not _SAME:
                state.value = inner
                state.rules.append(layer.name)
                break
        else:
            break
    return state


def _input_str(value: Any, state: Unwrapped) -> Any:
    if isinstance(value, dict) and value.keys() == {"input"} and isinstance(read := from_repr(value["input"]), dict):
        return read
    if not isinstance(value, dict) or not isinstance(value.get("input_str"), str):
        return _SAME
    read = from_repr(value["input_str"])
    return value["inputs"] if isinstance(read, str) and isinstance(value.get("inputs"), dict) else read


def _inputs(value: Any, state: Unwrapped) -> Any:
    wraps = isinstance(value, dict) and "inputs" in value and value.keys() & {"tags", "metadata", "kwargs"}
    return value["inputs"] if wraps else _SAME


def _mcp_request(value: Any, state: Unwrapped) -> Any:
    is_request = isinstance(value, dict) and value.keys() == {"tool_name", "arguments"}
    return value["arguments"] if is_request else _SAME


def _args_kwargs(value: Any, state: Unwrapped) -> Any:
    if not isinstance(value, dict) or "kwargs" not in value or not value.keys() <= _CALL_KEYS:
        return _SAME
    positional, named = value.get("args"), value["kwargs"]
    if not positional:
        return named
    if named or not isinstance(positional, list):
        return _SAME
    return positional[0] if len(positional) == 1 else positional


def _tool_message(value: Any, state: Unwrapped) -> Any:
    if not isinstance(value, dict):
        return _SAME
    if value.get("type") == "tool" and isinstance(value.get("data"), dict):
        told = value["data"]
    elif isinstance(value.get("kwargs"), dict) and str(value.get("id")).endswith("ToolMessage']"):
        told = value["kwargs"]
    elif value.get("type") == "tool" and "tool_call_id" in value:
        told = value
    else:
        return _SAME
    state.call_id = state.call_id or str(told.get("tool_call_id") or "")
    state.has_failed = state.has_failed or told.get("status") == "error"
    return parsed(told["content"]) if "content" in told else _SAME


def _tool_output(value: Any, state: Unwrapped) -> Any:
    """LlamaIndex's ToolOutput."""
    if not isinstance(value, dict) or not {"tool_name", "raw_output"} <= value.keys():
        return _SAME
    state.has_failed = state.has_failed or value.get("is_error") is True
    return value["raw_output"]


def _function_response(value: Any, state: Unwrapped) -> Any:
    """Gemini's answer of a function, as OpenInference writes ADK's tools."""
    if not isinstance(value, dict) or "response" not in value or not value.keys() <= {"id", "name", "response"}:
        return _SAME
    return value["response"]


def _output(value: Any, state: Unwrapped) -> Any:
    if not isinstance(value, dict) or not value.keys() <= _RESULT_KEYS:
        return _SAME
    return parsed(value["output"]) if "output" in value else value.get("outputs", _SAME)


def _mcp_content(value: Any, state: Unwrapped) -> Any:
    content = value.get("content") if isinstance(value, dict) else None
    if not isinstance(content, list) or not value.keys() <= _MCP_KEYS:
        return _SAME
    state.has_failed = state.has_failed or value.get("isError") is True or value.get("is_error") is True
    text = text_of(content) if content else ""
    return _SAME if text is None else parsed(text)


def _text_blocks(value: Any, state: Unwrapped) -> Any:
    are_blocks = (
        isinstance(value, list) and value and all(isinstance(b, dict) and b.get("type") == "text" for b in value)
    )
    text = text_of(value) if are_blocks else None
    return _SAME if text is None else parsed(text)


def _last_message(value: Any, state: Unwrapped) -> Any:
    """A graph's state after its node, or a talk with tools: the news is in its last message."""
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict) and "update" in value[0]:
        value = value[0]["update"]
    messages = value.get("messages", value.get("replies")) if isinstance(value, dict) else value
    is_talk = value is not messages or any(role_of(message) == "tool" for message in messages)
    if not isinstance(messages, list) or not messages or not is_talk:
        return _SAME
    text = text_of(messages[-1])
    return messages[-1] if text is None else text


def _generations(value: Any, state: Unwrapped) -> Any:
    rows = value.get("generations") if isinstance(value, dict) else None
    while isinstance(rows, list) and len(rows) == 1:
        rows = rows[0]
    return rows.get("message") or rows.get("text", _SAME) if isinstance(rows, dict) else _SAME


def _choices(value: Any, state: Unwrapped) -> Any:
    if isinstance(value, dict) and value.keys() == {"message"}:
        return value["message"]
    choices = value.get("choices") if isinstance(value, dict) else None
    if not isinstance(choices, list) or len(choices) != 1 or not isinstance(choices[0], dict):
        return _SAME
    return choices[0].get("message", _SAME)


def _said(value: Any, state: Unwrapped) -> Any:
    """One message of text alone is that text; one that asks for tools is its calls."""
    if isinstance(value, list) and len(value) != 1:
        return _SAME
    message = value[0] if isinstance(value, list) else value
    if not isinstance(message, dict) or (
        not message.keys() & {"role", "lc", "parts"} and message.get("type") not in _SPEAKERS
    ):
        return _SAME
    text = text_of(message)
    return _SAME if text is None else text


_SPEAKERS = frozenset({"ai", "message", "assistant"})
_ARGUMENTS = (
    _Layer("unwrap.input_str", _input_str),
    _Layer("unwrap.inputs", _inputs),
    _Layer("unwrap.mcp_request", _mcp_request, of_tools=True),
    _Layer("unwrap.args_kwargs", _args_kwargs),
)
_RESULTS = (
    _Layer("unwrap.tool_message", _tool_message),
    _Layer("unwrap.tool_output", _tool_output, of_tools=True),
    _Layer("unwrap.function_response", _function_response, of_tools=True),
    _Layer("unwrap.output", _output),
    _Layer("unwrap.mcp_content", _mcp_content, of_tools=True),
    _Layer("unwrap.text_blocks", _text_blocks),
    _Layer("unwrap.last_message", _last_message, of_tools=False),
    _Layer("unwrap.generations", _generations, of_tools=False),
    _Layer("unwrap.choices", _choices, of_tools=False),
    _Layer("unwrap.said", _said, of_tools=False),
)
LAYERS = tuple(layer.name for layer in (*_ARGUMENTS, *_RESULTS))
