"""Whatever others may call says its contract."""

import ast
from collections.abc import Iterator

from tests.architecture.source import Module, modules

Documented = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def public_parts(module: Module) -> Iterator[Documented]:
    """The public classes and functions of a module, and the public methods of its public classes."""
    for node in module.tree.body:
        if isinstance(node, Documented) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from (
                    part
                    for part in node.body
                    if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef) and not part.name.startswith("_")
                )


def test_each_module_says_what_it_is():
    assert [found.path for found in modules() if found.tree.body and not ast.get_docstring(found.tree)] == []


def test_each_public_part_says_its_contract():
    silent = [found.place(part) for found in modules() for part in public_parts(found) if not ast.get_docstring(part)]
    assert silent == []
