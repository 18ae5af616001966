"""Every log call names a listed token, and every listed token is there for a reason."""

import ast
from collections.abc import Iterator

from agentconsole.protocol.tokens import TOKENS, WELL_KNOWN
from tests.architecture.source import Module, modules

LEVELS = {"debug", "info", "warning", "error", "exception", "critical", "log"}
LIST = "agentconsole/protocol/tokens.py"


def logged(module: Module) -> Iterator[tuple[str, ast.expr | None]]:
    """(place, what stands where the token should) of each log call."""
    for call, function in module.calls():
        if isinstance(function.value, ast.Name) and function.value.id in ("log", "logger") and function.attr in LEVELS:
            position = 1 if function.attr == "log" else 0
            yield module.place(call), call.args[position] if len(call.args) > position else None


def test_each_log_call_names_a_listed_token():
    calls = [found for module in modules() for found in logged(module)]
    assert len(calls) > 20
    wrong = [place for place, name in calls if not (isinstance(name, ast.Constant) and name.value in TOKENS)]
    assert wrong == [], "log a literal token of protocol/tokens.py, and everything variable as keywords"


def test_each_listed_token_is_used_or_for_agents_to_emit():
    used = {text for module in modules() if module.path != LIST for text in module.strings()}
    assert set(TOKENS) - used - WELL_KNOWN == set()


def test_well_known_tokens_are_listed_and_left_to_agents():
    assert set(TOKENS) >= WELL_KNOWN
