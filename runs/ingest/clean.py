"""What every payload passes through before it is stored: checked for what no database keeps, redacted, then cut.

In this order: a cut through a secret would hide it from the redactor.
"""

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.conf import settings

from agentconsole.protocol.redaction import Hit, may_hold_secret, scrub
from agentconsole.protocol.truncation import DEFAULT_BUDGET, truncate
from runs.ingest.errors import BadNumberError, BadTextError, ItemTooLargeError, TooDeepError

MAX_DEPTH = 32
_TOO_DEEP = f"Nested deeper than {MAX_DEPTH}. Send the inner part as text."
_LABEL_KEPT, _LABELS_KEPT = 64, 10_000
_clean_labels: set[str] = set()  # names repeat: one that showed no secret need not be read again
MAX_STRUCTURE_BYTES = 64 * 1024
_SURELY_WITHIN_BUDGET = DEFAULT_BUDGET // 4  # characters: none takes more than four bytes


@dataclass(slots=True)
class Cleaner:
    """Cleans the fields of one item; `hits` gathers what was redacted, `cut` what was cut (`{place: {chars, sha256, at, left_out}}`).

    Without `keeps_content`, of each text but names only its size and a digest are left (docs/content-off.md).
    """

    keeps_content: bool = True
    hits: list[Hit] = field(default_factory=list)
    cut: dict[str, dict[str, Any]] = field(default_factory=dict)

    def label(self, text: str, place: str) -> str:
        """A short text: redacted, never cut (its length was validated)."""
        if not text or text in _clean_labels:
            return text
        scrubbed = self._scrubbed_text(text, place)
        if scrubbed is text and len(text) <= _LABEL_KEPT:
            if len(_clean_labels) >= _LABELS_KEPT:
                _clean_labels.clear()
            _clean_labels.add(text)
        return scrubbed

    def request_id(self, text: str, run_id: UUID) -> str:
        """A request ID, as it is; one that is a secret makes room for one that the run has to itself."""
        return text if self._scrubbed_text(text, "request_id") is text else f"redacted-{run_id}"

    def _scrubbed_text(self, text: str, place: str) -> str:
        if not may_hold_secret(text):
            return text
        scrubbed, hits = scrub(text, place)
        self.hits.extend(hits)
        return str(scrubbed) if hits else text

    def prose(self, text: str, place: str) -> str:
        """A text of any length: redacted, then cut to its budget."""
        return self._kept(self._scrubbed_text(text, place), place) if text else text

    def payload(self, value: Any, place: str) -> str | None:
        """Arguments or a result, any JSON, as text within its budget; None stays None."""
        if value is None:
            return None
        if isinstance(value, str):
            check_text(value)
            return self.prose(value, place)
        return self._kept(self._scrubbed(value, place)[0], place)

    def structure(self, value: dict[str, Any], place: str) -> dict[str, Any]:
        """Attributes or fields, kept as JSON: redacted, long texts cut, refused above MAX_STRUCTURE_BYTES."""
        if not value:
            return value
        text, scrubbed = self._scrubbed(value, place)
        if len(text) <= _SURELY_WITHIN_BUDGET and self.keeps_content:
            return dict(scrubbed)
        kept: dict[str, Any] = self._cut_texts(scrubbed, place)
        if len(_dump(kept).encode()) > MAX_STRUCTURE_BYTES:
            raise ItemTooLargeError(
                f"{place}: more than {MAX_STRUCTURE_BYTES} bytes of JSON. Send less, or send it as a result."
            )
        return kept

    def trimmed(self, value: dict[str, Any], place: str) -> dict[str, Any]:
        """As `structure`, but what is above MAX_STRUCTURE_BYTES is left out, largest members first, and `cut` says so."""
        if not value:
            return value
        text, scrubbed = self._scrubbed(value, place)
        if len(text) <= _SURELY_WITHIN_BUDGET and self.keeps_content:
            return dict(scrubbed)
        cut_before = dict(self.cut)
        kept: dict[str, Any] = self._cut_texts(scrubbed, place)
        if len(_dump(kept).encode()) <= MAX_STRUCTURE_BYTES:
            return kept
        self.cut = cut_before
        fitting: dict[str, Any] = self._cut_texts({key: scrubbed[key] for key in _smallest(kept)}, place)
        at, digest = len(_dump(fitting)), hashlib.sha256(text.encode()).hexdigest()
        self.cut[place] = {"chars": len(text), "sha256": digest, "at": at, "left_out": max(len(text) - at, 0)}
        return fitting

    def _scrubbed(self, value: Any, place: str) -> tuple[str, Any]:
        """The value as JSON text and as it is, without secrets. It is walked only if its text shows a reason to:
        most payloads show none, and one dump in C is ten times as fast as a walk."""
        text = _checked_dump(value)
        if may_hold_secret(text):
            value, hits = scrub(value, place)
            if hits:
                self.hits.extend(hits)
                text = _dump(value)
        return text, value

    def again(self) -> "Cleaner":
        """For more fields of the same item, whose cuts are nobody's business."""
        return Cleaner(self.keeps_content, self.hits)

    def _kept(self, text: str, place: str) -> str:
        return self._within_budget(text, place) if self.keeps_content else content_off(text)

    def _within_budget(self, text: str, place: str) -> str:
        if len(text) <= _SURELY_WITHIN_BUDGET:
            return text
        kept = truncate(text)
        if kept.cut_at is not None:
            self.cut[place] = {
                "chars": kept.chars,
                "sha256": kept.sha256,
                "at": kept.cut_at,
                "left_out": kept.cut_chars,
            }
        return kept.text

    def _cut_texts(self, value: Any, place: str) -> Any:
        if isinstance(value, str):
            return self._kept(value, place)
        if isinstance(value, dict):
            return {key: self._cut_texts(inner, f"{place}.{key}") for key, inner in value.items()}
        if isinstance(value, list):
            return [self._cut_texts(inner, f"{place}.{index}") for index, inner in enumerate(value)]
        return value


def content_off(text: str) -> str:
    """What is kept of a text of an agent whose content is off: its size, and a keyed digest that tells whether two are the same."""
    digest = hmac.new(settings.CREDENTIAL_KEY.encode(), text.encode(), hashlib.sha256).hexdigest()
    return f"[CONTENT OFF: {len(text):,} characters, digest {digest[:16]}]"


def _smallest(members: dict[str, Any]) -> list[str]:
    """As many members as MAX_STRUCTURE_BYTES hold, in their order."""
    sizes = {key: len(_dump({key: inner}).encode()) for key, inner in members.items()}
    kept, room = set(), MAX_STRUCTURE_BYTES
    for key in sorted(sizes, key=lambda key: (sizes[key], key)):
        room -= sizes[key]
        if room < 0:
            break
        kept.add(key)
    return [key for key in members if key in kept]


def _checked_dump(value: Any) -> str:
    """JSON text of a value that can be stored: no NaN, no NUL, no lone surrogate, not nested beyond MAX_DEPTH."""
    try:
        text = _dump(value)
    except ValueError as error:
        raise BadNumberError("NaN and infinities are not JSON. Send null or text.") from error
    except RecursionError as error:
        raise TooDeepError(_TOO_DEEP) from error
    if text.count("{") + text.count("[") > MAX_DEPTH or "\\u0000" in text:
        _check_inside(value)
    check_text(text)
    return text


def _check_inside(value: Any, depth: int = 0) -> None:
    if isinstance(value, str):
        check_text(value)
    elif isinstance(value, dict | list):
        if depth >= MAX_DEPTH:
            raise TooDeepError(_TOO_DEEP)
        for inner in (*value, *value.values()) if isinstance(value, dict) else value:
            _check_inside(inner, depth + 1)


def check_text(text: str) -> None:
    """Refuse NUL and lone surrogates."""
    if "\x00" in text:
        raise BadTextError("A text holds a NUL character. Send U+2400 instead.")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise BadTextError("A text holds a lone surrogate. Send U+FFFD instead.") from error


_dump = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode
