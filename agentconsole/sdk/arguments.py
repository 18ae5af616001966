"""How a call is shown: the tool's name, and its arguments by the names of its parameters."""

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

from agentconsole.protocol.redaction import is_telling_name, marker


def name_of(tool: Callable[..., Any]) -> str:
    """The name that a tool goes by when the caller gives none."""
    while isinstance(tool, functools.partial):
        tool = tool.func
    return str(getattr(tool, "__name__", type(tool).__name__))


def arguments_of(tool: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """The arguments by parameter name, because redaction goes by names; by position where the tool has no signature."""
    try:
        signature = inspect.signature(tool)
        bound = signature.bind(*args, **kwargs).arguments
    except (TypeError, ValueError):
        return {"args": list(args), **kwargs} if args else dict(kwargs)
    named: dict[str, Any] = {}
    for name, value in bound.items():
        if signature.parameters[name].kind is inspect.Parameter.VAR_KEYWORD:
            named.update(value)
        else:
            named[name] = list(value) if isinstance(value, tuple) else value
    return named


def masked_argv(argv: Sequence[str]) -> list[str]:
    """A command line without the values of options whose names tell of a secret (`--password hunter2`)."""
    shown: list[str] = []
    is_secret = False
    for word in argv:
        shown.append(marker("field_name") if is_secret else str(word))
        is_secret = str(word).startswith("-") and is_telling_name(str(word).lstrip("-"))
    return shown
