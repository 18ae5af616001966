"""Cutting long texts the same way everywhere: keep the beginning and the end, say what was left out."""

import hashlib
import unicodedata
from dataclasses import dataclass

DEFAULT_BUDGET = 16 * 1024
_HEAD_PERCENT, _TAIL_PERCENT = 65, 25
_LONGEST_CLUSTER = 64
_VIRAMA = 9  # the combining class whose members join the next consonant (UAX #29, GB9c)
_JOINERS = frozenset("\u200d\u200c")
_EXTENDING = ("Mn", "Me", "Mc")
_EXTRA_EXTENDERS = ((0x1F3FB, 0x1F3FF), (0xFE00, 0xFE0F), (0x1160, 0x11FF), (0xD7B0, 0xD7FF), (0xE0020, 0xE007F))
_PREPENDS = (
    (0x0600, 0x0605),
    (0x06DD, 0x06DD),
    (0x070F, 0x070F),
    (0x0890, 0x0891),
    (0x08E2, 0x08E2),
    (0x110BD, 0x110BD),
)
_REGIONAL = (0x1F1E6, 0x1F1FF)


@dataclass(frozen=True, slots=True)
class Cut:
    """A text within its budget. `chars` and `sha256` describe the whole text; `cut_at` is None where nothing was cut,
    else the offset in `text` at which the marker stands, and `cut_chars` the number of characters left out."""

    text: str
    chars: int
    sha256: str
    cut_at: int | None = None
    cut_chars: int = 0


def truncate(text: str, budget: int = DEFAULT_BUDGET) -> Cut:
    """Cut `text` to `budget` bytes of UTF-8: its first 65 % and last 25 % of the budget with a marker between.

    Never cuts inside a code point, nor inside a grapheme cluster of up to 64 characters. The marker is
    `[TRUNCATED n chars]`; the tenth of the budget that is not kept leaves it room. Lone surrogates are not accepted
    (UnicodeEncodeError): callers refuse them first.
    """
    raw = text.encode()
    digest = hashlib.sha256(raw).hexdigest()
    if len(raw) <= budget:
        return Cut(text, len(text), digest)
    head_text = raw[: budget * _HEAD_PERCENT // 100].decode(errors="ignore")
    tail_text = raw[len(raw) - budget * _TAIL_PERCENT // 100 :].decode(errors="ignore")
    head_end = _boundary_before(text, len(head_text))
    tail_start = _boundary_after(text, len(text) - len(tail_text))
    left_out = tail_start - head_end
    marker = f"[TRUNCATED {left_out} chars]"
    return Cut(text[:head_end] + marker + text[tail_start:], len(text), digest, head_end, left_out)


def _boundary_before(text: str, position: int) -> int:
    for candidate in range(position, max(position - _LONGEST_CLUSTER, 0), -1):
        if _is_boundary(text, candidate):
            return candidate
    return position


def _boundary_after(text: str, position: int) -> int:
    for candidate in range(position, min(position + _LONGEST_CLUSTER, len(text))):
        if _is_boundary(text, candidate):
            return candidate
    return position


def _is_boundary(text: str, position: int) -> bool:
    """Whether a grapheme cluster surely ends before `position` (a strict reading of UAX #29: it may say no too often)."""
    if position <= 0 or position >= len(text):
        return True
    before, after = text[position - 1], text[position]
    if after < "\u0300" and before < "\u0300":
        return not (before == "\r" and after == "\n")
    return not (
        before in _JOINERS
        or after in _JOINERS
        or unicodedata.category(after) in _EXTENDING
        or _within(after, _EXTRA_EXTENDERS)
        or _within(before, _PREPENDS)
        or (_within(before, (_REGIONAL,)) and _within(after, (_REGIONAL,)))
        or _is_hangul_pair(before, after)
        or unicodedata.combining(before) == _VIRAMA
    )


def _is_hangul_pair(before: str, after: str) -> bool:
    return "\u1100" <= before <= "\u115f" and ("\u1100" <= after <= "\u11ff" or "\uac00" <= after <= "\ud7a3")


def _within(char: str, ranges: tuple[tuple[int, int], ...]) -> bool:
    return any(low <= ord(char) <= high for low, high in ranges)
