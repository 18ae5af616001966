"""The console's own source, parsed."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("agentconsole", "runs", "traces", "approvals")


@dataclass(frozen=True)
class Module:
    """One file."""

    path: str
    tree: ast.Module

    def calls(self) -> Iterator[tuple[ast.Call, ast.Attribute]]:
        """Every call of an attribute: `something.name(…)`."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                yield node, node.func

    def strings(self) -> set[str]:
        """Every literal text in it."""
        return {
            node.value for node in ast.walk(self.tree) if isinstance(node, ast.Constant) and type(node.value) is str
        }

    def imported(self) -> set[str]:
        """The names of the modules that it imports, and of what it takes from them."""
        found: set[str] = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                found.update(name.name for name in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.update({node.module, *(f"{node.module}.{name.name}" for name in node.names)})
        return found

    def place(self, node: ast.expr | ast.stmt) -> str:
        """Where a node is, to be clicked on."""
        return f"{self.path}:{node.lineno}"


@cache
def modules() -> tuple[Module, ...]:
    """Every module but migrations."""
    files = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    return tuple(
        Module(str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8")))
        for path in files
        if "migrations" not in path.parts
    )


def module(path: str) -> Module:
    """The module at a path."""
    return next(found for found in modules() if found.path == path)


def templates() -> list[Path]:
    """Every template."""
    return sorted((ROOT / "templates").rglob("*.html"))
