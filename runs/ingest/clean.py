"""What every payload passes through before it is stored: checked for what no database keeps, redacted, then cut.

In this order: a cut through a secret would hide it from the redactor.
"""

import json
import math
from dataclasses import dataclass, field
from typing import Any

from agentconsole.protocol.redaction import Hit, scrub, scrub_text
from agentconsole.protocol.truncation import DEFAULT_BUDGET, truncate
from runs.ingest.errors import BadNumberError, BadTextError, ItemTooLargeError, TooDeepError

MAX_DEPTH = 32
MAX_STRUCTURE_BYTES = 64 * 1024
_SURELY_WITHIN_BUDGET = DEFAULT_BUDGET // 4  # characters: none takes more than four bytes


@dataclass(slots=True)
class Cleaner:
    """Cleans the fields of one item; `hits` gathers what was redacted, `cut` what was cut (`{place: {chars, sha256, at, left_out}}`)."""

    hits: list[Hit] = field(default_factory=list)
    cut: dict[str, dict[str, Any]] = field(default_factory=dict)

    def label(self, text: str, place: str) -> str:
        """A short text: redacted, never cut (its length was validated)."""
        scrubbed, detectors = scrub_text(text)
        self.hits.extend(Hit(detector, place) for detector in detectors)
        return scrubbed

    def prose(self, text: str, place: str) -> str:
        """A text of any length: redacted, then cut to its budget."""
        return self._within_budget(self.label(text, place), place)

    def _within_budget(self, text: str, place: str) -> str:
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
            return self._within_budget(value, place) if len(value) > _SURELY_WITHIN_BUDGET else value
        if isinstance(value, dict):
            return {key: self._cut_texts(inner, f"{place}.{key}") for key, inner in value.items()}
        if isinstance(value, list):
            return [self._cut_texts(inner, f"{place}.{index}") for index, inner in enumerate(value)]
        return value

    def payload(self, value: Any, place: str) -> str | None:
        """Arguments or a result, any JSON, as text within its budget; None stays None."""
        if value is None:
            return None
        check(value)
        if isinstance(value, str):
            return self.prose(value, place)
        scrubbed, hits = scrub(value, place)
        self.hits.extend(hits)
        return self.prose(_dump(scrubbed), place)

    def structure(self, value: dict[str, Any], place: str) -> dict[str, Any]:
        """Attributes or fields, kept as JSON: redacted, long texts cut, refused above MAX_STRUCTURE_BYTES."""
        if not value:
            return value
        check(value)
        scrubbed, hits = scrub(value, place)
        self.hits.extend(hits)
        kept: dict[str, Any] = self._cut_texts(scrubbed, place)
        if len(_dump(kept).encode()) > MAX_STRUCTURE_BYTES:
            raise ItemTooLargeError(
                f"{place}: more than {MAX_STRUCTURE_BYTES} bytes of JSON. Send less, or send it as a result."
            )
        return kept


def check(value: Any, depth: int = 0) -> None:
    """Refuse what can't be stored: nesting beyond MAX_DEPTH, NUL, lone surrogates, NaN and infinities."""
    if isinstance(value, str):
        check_text(value)
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise BadNumberError("NaN and infinities are not JSON. Send null or text.")
    elif isinstance(value, dict | list):
        if depth >= MAX_DEPTH:
            raise TooDeepError(f"Nested deeper than {MAX_DEPTH}. Send the inner part as text.")
        if isinstance(value, dict):
            for key in value:
                check_text(key)
        for inner in value.values() if isinstance(value, dict) else value:
            check(inner, depth + 1)


def check_text(text: str) -> None:
    """Refuse NUL and lone surrogates."""
    if "\x00" in text:
        raise BadTextError("A text holds a NUL character. Send U+2400 instead.")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise BadTextError("A text holds a lone surrogate. Send U+FFFD instead.") from error


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
