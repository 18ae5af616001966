"""Reading kept texts for display: redactions as pills, the cut as a cut, JSON as a tree. The text itself is never changed."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_REDACTION = re.compile(r"\[REDACTED:([A-Za-z0-9_.-]{1,64})\]")
_SAME = re.compile(r'\{"same_as": "([0-9a-f]{16})\.([^"]{1,500})", "chars": (\d{1,9})\}')
_LARGEST_TREE = 200_000
_MOST_NODES = 2_000
_DEEPEST = 20


@dataclass(frozen=True, slots=True)
class TextPiece:
    """A stretch of plain text, or, with a detector, the place where a secret was."""

    text: str
    detector: str = ""


@dataclass(frozen=True, slots=True)
class Node:
    """A value of a JSON tree: a leaf with its pieces and type, or a container with its children."""

    key: str
    type: str
    pieces: tuple[TextPiece, ...] = ()
    children: tuple["Node", ...] = ()
    size: int = 0


@dataclass(frozen=True, slots=True)
class Same:
    """Where a text is kept that was told several times: the span, and the place in it."""

    span_id: str
    place: str
    chars: int

    @property
    def size(self) -> str:
        """`10,672 characters`."""
        return f"{self.chars:,} characters"


@dataclass(frozen=True, slots=True)
class KeptText:
    """A text for display: as a tree where it is JSON, else its head, and its tail where it was cut."""

    chars: int
    sha256: str
    head: tuple[TextPiece, ...]
    tail: tuple[TextPiece, ...] | None
    left_out: int
    tree: Node | None
    same: Same | None = None

    @property
    def size(self) -> str:
        """`57,589 characters`."""
        return f"{self.chars:,} character{'' if self.chars == 1 else 's'}"

    @property
    def left_out_text(self) -> str:
        """How many characters the cut took, with separators."""
        return f"{self.left_out:,}"


def kept_text(text: str, *, chars: int, sha256: str | None, cut_at: int | None = None, cut_chars: int = 0) -> KeptText:
    """What to draw of a kept text, given as its shape on the wire."""
    head, tail = text, None
    if cut_at is not None:
        head, rest = text[:cut_at], text[cut_at:]
        tail = rest.removeprefix(f"[TRUNCATED {cut_chars} chars]")
    return KeptText(
        chars=chars,
        sha256=sha256 or "",
        head=pieces_of(head),
        tail=None if tail is None else pieces_of(tail),
        left_out=cut_chars,
        tree=None if cut_at is not None else tree_of_text(text),
        same=same_of(text),
    )


def same_of(text: str) -> Same | None:
    """What a reference to a text that is kept elsewhere says, None if it is none: `{"same_as": "<span>.<place>", "chars": n}`."""
    found = _SAME.fullmatch(text)
    return Same(found[1], found[2], int(found[3])) if found else None


def pieces_of(text: str) -> tuple[TextPiece, ...]:
    """`text` in pieces, its redactions apart."""
    return tuple(_pieces(text))


def _pieces(text: str) -> Iterator[TextPiece]:
    end = 0
    for hit in _REDACTION.finditer(text):
        if hit.start() > end:
            yield TextPiece(text[end : hit.start()])
        yield TextPiece(hit[0], hit[1])
        end = hit.end()
    if end < len(text):
        yield TextPiece(text[end:])


_QUESTIONS = ("query", "question", "task", "prompt", "input", "goal")


def question_of(arguments: str) -> str:
    """What a sub-agent was asked: the telling member of its JSON arguments, a JSON string, or the text as it is."""
    try:
        value = json.loads(arguments)
    except (ValueError, RecursionError):
        return arguments
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return next((value[name] for name in _QUESTIONS if isinstance(value.get(name), str)), arguments)
    return arguments


def tree_of_text(text: str) -> Node | None:
    """The tree of a text that is a JSON object or array, else None: plain, too long, too deep, too many values."""
    if len(text) > _LARGEST_TREE or not text.lstrip().startswith(("{", "[")):
        return None
    try:
        return tree_of(json.loads(text))
    except (ValueError, RecursionError):
        return None


def tree_of(value: Any) -> Node:
    """The tree of a JSON value. ValueError if it has more values or is deeper than a page should draw."""
    return _node("", value, iter(range(_MOST_NODES)), 0)


def _node(key: str, value: Any, budget: Iterator[int], depth: int) -> Node:
    if next(budget, None) is None or depth > _DEEPEST:
        raise ValueError("more values, or deeper, than a page should draw")
    if isinstance(value, dict):
        members = tuple(_node(str(name), item, budget, depth + 1) for name, item in value.items())
        return Node(key, "object", children=members, size=len(members))
    if isinstance(value, list):
        items = tuple(_node(str(index), item, budget, depth + 1) for index, item in enumerate(value))
        return Node(key, "array", children=items, size=len(items))
    if isinstance(value, str):
        return Node(key, "text", pieces_of(value))
    word = json.dumps(value)
    return Node(
        key, "number" if isinstance(value, int | float) and not isinstance(value, bool) else "word", (TextPiece(word),)
    )
