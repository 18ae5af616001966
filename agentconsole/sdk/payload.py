"""Anything that an agent or a tool hands over, as JSON that the console accepts: bounded, redacted, and only then cut."""

import dataclasses
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agentconsole.protocol.redaction import Hit, scrub, scrub_text
from agentconsole.protocol.truncation import DEFAULT_BUDGET, Cut, truncate

MAX_DEPTH = 12
MAX_NODES = 5_000
MAX_TEXT_CHARS = 1 << 20
MAX_TOTAL_CHARS = 4 << 20
MAX_INT_BITS = 1_024
NAME_CHARS = 200
MESSAGE_BYTES = 1_900
DETAIL_BYTES = 480

_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Payload:
    """A value ready to leave the process. `cut` is set where it was too long, and `value` is then a text."""

    value: Any
    cut: Cut | None = None
    redacted: tuple[Hit, ...] = ()


def prepare(value: Any, place: str, budget: int = DEFAULT_BUDGET) -> Payload:
    """`value` as JSON without secrets, within `budget` bytes; `place` says where a secret was found (`result`)."""
    try:
        read = _Walk().read(value, 0)
    except Exception as error:  # noqa: BLE001 -- a mapping's methods are the agent's code and may raise anything
        read = f"<{type(value).__name__} that can't be read: {type(error).__name__}>"
    clean, hits = scrub(read, place)
    text = clean if isinstance(clean, str) else json.dumps(clean, ensure_ascii=False, separators=(",", ":"))
    cut = truncate(text, budget)
    if cut.cut_at is None:
        return Payload(clean, redacted=hits)
    return Payload(cut.text, cut, hits)


def prepare_text(text: Any, budget: int = MESSAGE_BYTES) -> str:
    """A text for people and models: well-formed, without secrets, within `budget` bytes."""
    return truncate(scrub_text(_well_formed(_as_text(text)))[0], budget).text


def prepare_label(text: Any) -> str:
    """A short text on one line, or nothing (who asked, a version)."""
    return " ".join(prepare_text(text).split())[:NAME_CHARS]


def prepare_name(text: Any, max_chars: int = NAME_CHARS) -> str:
    """The name of something (a tool, a phase, an agent), on one line; the console wants one."""
    return prepare_label(text)[:max_chars] or "unnamed"


class _Walk:
    """One reading of a value. Its budgets end cycles and giants alike."""

    def __init__(self) -> None:
        self._nodes_left = MAX_NODES
        self._chars_left = MAX_TOTAL_CHARS

    def read(self, value: Any, depth: int) -> Any:
        self._nodes_left -= 1
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, int):
            return int(value) if value.bit_length() <= MAX_INT_BITS else self._text(hex(value))
        if isinstance(value, float):
            return float(value) if math.isfinite(value) else str(float(value))
        if depth >= MAX_DEPTH:
            return "[deeper than the console keeps]"
        return self._container(value, depth)

    def _container(self, value: Any, depth: int) -> Any:
        fields = _fields(value)
        if fields is not None:
            return self._mapping(fields, depth)
        if isinstance(value, list | tuple | set | frozenset):
            return self._sequence(list(value), depth)
        return self._text(_as_text(value))

    def _mapping(self, fields: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for done, (key, item) in enumerate(fields.items()):
            if self._nodes_left <= 0:
                result["[left out]"] = f"{len(fields) - done} more"
                break
            result[self._text(_as_text(key))] = self.read(item, depth + 1)
        return result

    def _sequence(self, items: list[Any], depth: int) -> list[Any]:
        result: list[Any] = []
        for done, item in enumerate(items):
            if self._nodes_left <= 0:
                result.append(f"[left out: {len(items) - done} more]")
                break
            result.append(self.read(item, depth + 1))
        return result

    def _text(self, text: str) -> str:
        if len(text) > self._chars_left:
            return f"[left out: {len(text)} chars]"
        # Both ends are far longer than what is kept of any text, so the later cut always removes this seam:
        # half a secret at the seam, which no pattern would know, can't come through.
        if len(text) > MAX_TEXT_CHARS:
            half = MAX_TEXT_CHARS // 2
            text = f"{text[:half]}[left out: {len(text) - 2 * half} chars]{text[-half:]}"
        self._chars_left -= len(text)
        return _well_formed(text)


def _fields(value: Any) -> Mapping[Any, Any] | None:
    if isinstance(value, Mapping):
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name, None) for field in dataclasses.fields(value)}
    return None


def _well_formed(text: str) -> str:
    return _SURROGATE.sub("\ufffd", text.replace("\0", "\u2400"))


def _as_text(value: Any) -> str:
    """What an object says of itself, and a stand-in where its own methods raise."""
    try:
        if isinstance(value, str):
            return str.__str__(value)
        if isinstance(value, bytes | bytearray):
            return bytes(value).decode(errors="replace")
        return str(value)
    except Exception as error:  # noqa: BLE001 -- __str__ and __repr__ are the agent's code and may raise anything
        return f"<{type(value).__name__} that can't be shown: {type(error).__name__}>"
