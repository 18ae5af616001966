"""Messages between people, models and tools, in the shapes that sources write them: what they say, and the tool calls in them."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from traces.mapping.account import Call
from traces.mapping.values import from_repr, parsed

NODES_MAX = 2_000  # parts of a value that are looked at
CALLS_MAX = 100
LONG_TEXT = 1_000  # characters of a tool's result in a model's input that are kept: the tool's own span has it
_TEXT_TYPES = frozenset({"text", "output_text", "input_text", "message"})
_CALL_TYPES = frozenset({"tool_call", "function_call", "tool_use", "tool-call", "mcp_call"})
_APPROVALS = frozenset({"function_approval_request", "tool_approval_request", "mcp_approval_request"})
_ROLES = {"human": "user", "ai": "assistant", "HumanMessage": "user", "AIMessage": "assistant", "ToolMessage": "tool"}
_TOOL_ROLES = frozenset({"tool", "function"})


# How a tool call is written: the keys of its id, name and arguments; the first that is there.
_ID_KEYS = ("call_id", "tool_call_id", "tool_use_id", "toolCallId", "id")
_NAME_KEYS = ("name", "toolName", "tool_name")
_ARGUMENT_KEYS = ("arguments", "args", "input", "tool_kwargs")
_WRITTEN_PLAINLY = {"id", "name", "arguments"}
_WRAPPERS = ("data", "kwargs", "message")
_QUERY_KEYS = ("new_message", "user_msg", "task", "question", "query", "prompt")
_TEXT_KEYS = ("parts", "content", "contents", "blocks", "text")


class Asked(NamedTuple):
    """The tool calls in an output, and those of them that wait for a person's approval."""

    calls: tuple[Call, ...]
    held: tuple[Call, ...]


def calls_in(value: Any) -> Asked:
    """The tool calls that an output asks for, in their order, each once by its id."""
    calls: list[Call] = []
    held: list[Call] = []
    seen: set[str] = set()
    for part in _objects(value):
        if part.get("type") in _APPROVALS:
            held.extend(call for inner in part.values() if isinstance(inner, dict) and (call := _call_of(inner)))
        call = _call_of(part)
        if call is None or len(calls) >= CALLS_MAX or (call[0] and call[0] in seen):
            continue
        seen.add(call[0])
        calls.append(call)
    return Asked(tuple(calls), tuple(held[:CALLS_MAX]))


def _call_of(part: dict[str, Any]) -> Call | None:
    call = _written_call(part)
    name = _first(call, _NAME_KEYS) if call is not None else None
    if call is None or not isinstance(name, str) or not name:
        return None
    given = _first(call, _ID_KEYS)
    return (given if isinstance(given, str) else "", name, parsed(_first(call, _ARGUMENT_KEYS)))


def _written_call(part: dict[str, Any]) -> dict[str, Any] | None:
    """The object that has a call's name, id and arguments, where a part is a call."""
    kind, function = part.get("type"), part.get("function")
    if kind in _CALL_TYPES or "toolName" in part or "tool_kwargs" in part or part.keys() >= _WRITTEN_PLAINLY:
        return part
    if isinstance(function, dict) and "arguments" in function:
        return {"id": part.get("id"), **function}
    inner = part.get("function_call") or part.get("functionCall") or part.get("tool_call")  # Gemini, Haystack
    return inner if isinstance(inner, dict) and kind not in _APPROVALS else None


def _first(part: dict[str, Any], keys: tuple[str, ...]) -> Any:
    return next((part[key] for key in keys if part.get(key) is not None), None)


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    """All objects in a value, outer before inner, in order, within bounds. An object that is a call is not looked into."""
    stack, left = [value], NODES_MAX
    while stack and left:
        left -= 1
        node = stack.pop()
        if isinstance(node, dict):
            yield node
            if _call_of(node) is None:
                stack.extend(reversed(node.values()))
        elif isinstance(node, list):
            stack.extend(reversed(node[:NODES_MAX]))


def role_of(message: Any) -> str:
    """Who speaks: `user`, `assistant`, `tool`, `system` …, "" where it does not say."""
    if isinstance(message, list) and _is_pair(message):
        return str(message[0])
    if not isinstance(message, dict):
        return ""
    told = message.get("role")
    if not isinstance(told, str):
        ids = message.get("id")
        told = str(ids[-1]) if isinstance(ids, list) and ids else message.get("type")
    return _ROLES.get(str(told), str(told or ""))


def text_of(message: Any) -> str | None:
    """What a message says, if all it has is text."""
    if isinstance(message, str):
        return message
    if not isinstance(message, dict):
        return _joined(message)
    for _ in _WRAPPERS:
        message = next((message[key] for key in _WRAPPERS if isinstance(message.get(key), dict)), message)
    if message.get("tool_calls") or message.get("type") in _CALL_TYPES:
        return None
    return next((_joined(message[key]) for key in _TEXT_KEYS if key in message), None)


def _joined(content: Any) -> str | None:
    if isinstance(content, str):
        return content
    if not isinstance(content, list) or not content or len(content) > NODES_MAX:
        return None
    texts = [_block(block) for block in content]
    return "\n".join(text for text in texts if text) if None not in texts else None


def _block(block: Any) -> str | None:
    if isinstance(block, str):
        return block
    if not isinstance(block, dict) or block.get("type", "text") not in _TEXT_TYPES:
        return None
    told = block.get("text", block.get("content"))
    return told if isinstance(told, str) else _joined(told) if isinstance(told, list) else None


def conversation(value: Any) -> list[Any]:
    """The messages in a value, [] where it holds none."""
    for key in ("inputs", "input", "messages", "contents", "history"):
        if isinstance(value, dict) and key in value:
            value = value[key]
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], list) and not _is_pair(value[0]):
        value = value[0]
    return value if isinstance(value, list) else []


def _is_pair(message: list[Any]) -> bool:
    """LangChain's short form of a message: its role and its text."""
    return len(message) == 2 and all(isinstance(part, str) for part in message)  # noqa: PLR2004


def query_of(value: Any) -> str:
    """What a person asked, from what an agent was given: the last thing that a user said, or the only text."""
    value = from_repr(value) if isinstance(value, str) and value[:1] in "[{" else value
    if isinstance(value, str):
        return value
    messages = conversation(value)
    for message in reversed(messages[-50:]):
        if role_of(message) == "user":
            return text_of(message[1] if isinstance(message, list) else message) or ""
    if isinstance(value, dict):
        told = next((text for key in _QUERY_KEYS if key in value and (text := text_of(value[key]))), "")
        if told:
            return told
        texts = [item for item in value.values() if isinstance(item, str)]
        return texts[0] if len(texts) == 1 else ""
    return messages[0] if len(messages) == 1 and isinstance(messages[0], str) else ""


def lightened(value: Any) -> Any:
    """A model's input whose long tool results are cut: each stands once, in the span of its tool."""
    messages = conversation(value)
    if not any(role_of(message) in _TOOL_ROLES or _has_response(message) for message in messages):
        return value
    return _lighter(value, 12)


def _has_response(message: Any) -> bool:
    parts = message.get("parts", message.get("content")) if isinstance(message, dict) else None
    return isinstance(parts, list) and any(
        isinstance(part, dict) and str(part.get("type", "")).endswith(("_response", "_result")) for part in parts
    )


def _lighter(value: Any, depth: int, *, in_tool: bool = False) -> Any:
    if isinstance(value, str):
        if in_tool and len(value) > LONG_TEXT:
            return f"{value[:200]}… [{len(value)} characters: the tool's span has them]"
        return value
    if depth == 0:
        return value
    if isinstance(value, dict):
        mine = in_tool or role_of(value) in _TOOL_ROLES or str(value.get("type", "")).endswith(("_response", "_result"))
        return {key: _lighter(item, depth - 1, in_tool=mine) for key, item in value.items()}
    if isinstance(value, list):
        return [_lighter(item, depth - 1, in_tool=in_tool) for item in value]
    return value
