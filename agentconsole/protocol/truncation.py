"""Cutting long texts the same way everywhere: keep the beginning and the end, say what was left out."""

import hashlib
import unicodedata
from dataclasses import dataclass

DEFAULT_BUDGET = 16 * 1024
_HEAD_PERCENT, _TAIL_PERCENT = 65, 25
_LONGEST_CLUSTER = 64
_VIRAMA = 9  # the combining class whose members join the next consonant (UAX #29, GB9c)
_ZWJ = "\u200d"
# Unassigned characters count as marks: a newer Unicode than this Python's may have made them so.
_EXTENDING = ("Mn", "Me", "Mc", "Cn")
_EXTRA_EXTENDERS = (
    (0x0E33, 0x0E33), (0x0EB3, 0x0EB3), (0x200C, 0x200D), (0xFF9E, 0xFF9F), (0x1F3FB, 0x1F3FF), (0xE0020, 0xE007F),
)  # fmt: skip
_PREPENDS = (
    (0x0600, 0x0605), (0x06DD, 0x06DD), (0x070F, 0x070F), (0x0890, 0x0891), (0x08E2, 0x08E2), (0x0D4E, 0x0D4E),
    (0x110BD, 0x110BD), (0x110CD, 0x110CD), (0x111C2, 0x111C3), (0x113D1, 0x113D1), (0x1193F, 0x1193F),
    (0x11941, 0x11941), (0x11A3A, 0x11A3A), (0x11A84, 0x11A89), (0x11D46, 0x11D46), (0x11F02, 0x11F02),
)  # fmt: skip
_PICTOGRAPHS = (
    (0xA9, 0xA9), (0xAE, 0xAE), (0x203C, 0x203C), (0x2049, 0x2049), (0x2122, 0x2122), (0x2139, 0x2139), (0x2190, 0x27BF),
    (0x2934, 0x2935), (0x2B05, 0x2B55), (0x3030, 0x303D), (0x3297, 0x3299), (0x1F000, 0x1FFFD),
)  # fmt: skip
_REGIONAL = ((0x1F1E6, 0x1F1FF),)
_HANGUL_L = ((0x1100, 0x115F), (0xA960, 0xA97C))
_HANGUL_V = ((0x1160, 0x11A7), (0xD7B0, 0xD7C6), (0x16D63, 0x16D63), (0x16D67, 0x16D6A))
_HANGUL_T = ((0x11A8, 0x11FF), (0xD7CB, 0xD7FB))
_HANGUL_SYLLABLE = ((0xAC00, 0xD7A3),)


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
    if _extends(after) or _within(before, _PREPENDS):
        return False
    if _within(before, _REGIONAL) and _within(after, _REGIONAL):
        return _regionals_before(text, position) % 2 == 0
    if before == _ZWJ and _within(after, _PICTOGRAPHS):
        return False
    return not (_is_hangul_pair(before, after) or (after.isalpha() and _ends_in_virama(text, position)))


def _extends(char: str) -> bool:
    return unicodedata.category(char) in _EXTENDING or _within(char, _EXTRA_EXTENDERS)


def _regionals_before(text: str, position: int) -> int:
    """How many regional indicators end at `position`: flags are pairs of them, counted from the first."""
    start = position
    while start > 0 and _within(text[start - 1], _REGIONAL):
        start -= 1
    return position - start


def _is_hangul_pair(before: str, after: str) -> bool:
    """Whether two parts of one syllable meet (GB6 to GB8)."""
    is_syllable = _within(before, _HANGUL_SYLLABLE)
    has_final = is_syllable and (ord(before) - _HANGUL_SYLLABLE[0][0]) % 28 != 0
    if _within(before, _HANGUL_L):
        return any(_within(after, kind) for kind in (_HANGUL_L, _HANGUL_V, _HANGUL_SYLLABLE))
    if _within(before, _HANGUL_V) or (is_syllable and not has_final):
        return _within(after, _HANGUL_V) or _within(after, _HANGUL_T)
    return (has_final or _within(before, _HANGUL_T)) and _within(after, _HANGUL_T)


def _ends_in_virama(text: str, position: int) -> bool:
    """Whether the marks that end at `position` hold a virama (GB9c)."""
    for index in range(position - 1, max(position - 1 - _LONGEST_CLUSTER, -1), -1):
        if unicodedata.combining(text[index]) == _VIRAMA:
            return True
        if not _extends(text[index]):
            return False
    return False


def _within(char: str, ranges: tuple[tuple[int, int], ...]) -> bool:
    return any(low <= ord(char) <= high for low, high in ranges)
