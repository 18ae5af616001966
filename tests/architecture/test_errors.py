"""Every error that people and programs are told about has a code of its own."""

import importlib
from collections import Counter

from agentconsole.errors import ConsoleError
from agentconsole.protocol.tokens import is_token
from tests.architecture.source import modules


def errors() -> list[type[ConsoleError]]:
    """Every class of error there is, once everything is imported."""
    for module in modules():
        name = module.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        if not name.endswith(("__main__", "agentconsole.server")):  # one runs, one installs a reactor
            importlib.import_module(name)
    found: list[type[ConsoleError]] = [ConsoleError]
    for error in found:
        found.extend(error.__subclasses__())
    return [error for error in found if not error.__module__.startswith("tests.")]


def test_no_two_errors_share_a_code():
    codes = Counter(error.code for error in errors())
    assert [code for code, count in codes.items() if count > 1] == []


def test_codes_are_lower_snake_and_statuses_are_errors():
    for error in errors():
        assert is_token(error.code.upper()), error
        assert error.code == error.code.lower(), error
        assert 400 <= error.http_status < 600, error
        assert error.__name__.endswith("Error"), error
