"""Every variable that the settings read is documented, and nothing reads the environment behind their back."""

import ast
from collections.abc import Iterator

from agentconsole.env import VARIABLES
from tests.architecture.source import ROOT, module, modules

# What a process tells its own child: no setting of a deployment.
BETWEEN_PROCESSES = {"'CONSOLE_SUPERVISOR_PID'", "'CONSOLE_TOKEN'", "CONTEXT_VARIABLE"}


def read_by_settings() -> set[str]:
    """The names in `env.<type>("NAME")`."""
    return {
        call.args[0].value
        for call, function in module("agentconsole/settings.py").calls()
        if isinstance(function.value, ast.Name) and function.value.id == "env" and call.args
        if isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str)
    }


def test_the_settings_read_exactly_what_is_documented():
    assert read_by_settings() == {variable.name for variable in VARIABLES}


def test_each_variable_says_what_it_is_for():
    assert [variable.name for variable in VARIABLES if not variable.meaning] == []


def test_the_readme_has_the_table_of_variables():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = [f"| `{variable.name}` | {variable.default or '–'} | {variable.meaning} |" for variable in VARIABLES]
    assert [row for row in rows if row not in readme] == []
    documented = {line.split("`")[1] for line in readme.splitlines() if line.startswith("| `") and line.count("|") == 4}
    assert documented == {variable.name for variable in VARIABLES}


def names_read(node: ast.AST) -> Iterator[ast.expr]:
    """What stands for the name in `environ["NAME"]`, `environ.get("NAME")` and `getenv("NAME")`."""
    match node:
        case ast.Subscript(value=ast.Attribute(attr="environ"), slice=name, ctx=ast.Load()):
            yield name
        case ast.Call(func=ast.Attribute(value=ast.Attribute(attr="environ"), attr="get" | "pop"), args=[name, *_]):
            yield name
        case ast.Call(func=ast.Attribute(attr="getenv"), args=[name, *_]):
            yield name


def test_nothing_else_reads_the_environment():
    # The SDK reads what docs/sdk.md tells agents to set.
    console = [found for found in modules() if not found.path.startswith("agentconsole/sdk/")]
    read = {ast.unparse(name) for found in console for node in ast.walk(found.tree) for name in names_read(node)}
    assert read == BETWEEN_PROCESSES
