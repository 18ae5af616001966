"""Text as a reviewer may see it: nothing invisible, reordering or look-alike reaches the page as itself."""

import unicodedata
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import regex

from approvals.presentation.scripts import odd_letters

# In the order in which a character is tried. Right-to-left scripts themselves are legitimate; what steers direction is not.
_KINDS = (
    ("newline", regex.compile(r"\r\n|\n")),
    ("bidi", regex.compile(r"[\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]")),
    ("tag", regex.compile(r"[\U000E0000-\U000E007F]")),
    ("variation", regex.compile(r"[\uFE00-\uFE0F\U000E0100-\U000E01EF\u180B-\u180D\u180F]")),
    ("zero width", regex.compile(r"[\u00AD\u034F\u115F\u1160\u17B4\u17B5\u180E\u200B-\u200D\u2060-\u2064\u206A-\u206F\u3164\uFEFF\uFFA0]")),
    ("line break", regex.compile(r"[\u2028\u2029\u0085\u000B\u000C\r]")),
    ("control", regex.compile(r"\p{Cc}")),
    ("private", regex.compile(r"\p{Co}")),
    ("unassigned", regex.compile(r"\p{Cn}")),
    ("format", regex.compile(r"\p{Cf}")),
    ("space", regex.compile(r"(?! )\p{Zs}|[\u2800\U0001D159]")),
)  # fmt: skip
_PICTURE = r"(?!\p{Cn})\p{Extended_Pictographic}(?:\p{EMod}|\uFE0F)?"
_EMOJI = rf"{_PICTURE}(?:\u200D{_PICTURE})*"
_UNSEEN = (
    r"[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Zl}\p{Zp}]|(?! )\p{Zs}|[\u2800\U0001D159"
    r"\u034F\u115F\u1160\u17B4\u17B5\u180B-\u180D\u180F\u3164\uFFA0\uFE00-\uFE0F\U000E0100-\U000E01EF]"
)
_PIECES = regex.compile(
    rf"(?P<emoji>{_EMOJI})|(?P<keycap>[0-9#*]\uFE0F\u20E3)|(?P<newline>\r\n|\n)|(?P<odd>{_UNSEEN})"
    rf"|(?P<stray>(?<![^\s\p{{Z}}\p{{C}}])(?:(?!{_UNSEEN})\p{{M}})+)|(?P<flood>(?:(?!{_UNSEEN})\p{{M}}){{5,}})"
    r"|(?P<spaces>(?<=^|\n) +| +(?=$|\n)| {2,})|(?P<sign>[⟨⟩⏎␍⇥]|(?<!\p{L})·|·(?!\p{L}))"
)
_NAMES = {"\n": "LINE FEED", "\r\n": "CARRIAGE RETURN, LINE FEED", "\r": "CARRIAGE RETURN", "\t": "TAB", "\0": "NULL"}
# Ordinary layout of many lines, and the signs that escapes are written in; everything else that is escaped deserves a warning.
_QUIET = frozenset({"newline", "tab", "spaces", "sign"})


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of text. Plain (`kind` empty) or an escape: `text` is what it stands for, `shown` what the page shows instead."""

    text: str
    kind: str = ""
    shown: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Visible:
    """A text in pieces that join to the original, and what a reviewer has to be warned of."""

    segments: tuple[Segment, ...]
    warnings: tuple[str, ...] = ()

    @property
    def original(self) -> str:
        """The text itself."""
        return "".join(segment.text for segment in self.segments)

    @property
    def safe(self) -> str:
        """The text with its escapes in place: for attributes and sentences."""
        return "".join(segment.shown or segment.text for segment in self.segments)


def visible(text: str) -> Visible:
    """The text in visible pieces. Linear in its length."""
    if text.isascii() and text.isprintable() and "  " not in text and text == text.strip(" "):
        return Visible((Segment(text),) if text else ())
    letters, script_warnings = odd_letters(text)
    segments = tuple(_merged(_pieces(text, letters)))
    found = dict.fromkeys(segment.kind for segment in segments if segment.kind and segment.kind not in _QUIET)
    form = () if unicodedata.is_normalized("NFC", text) else (_OTHER_FORM,)
    return Visible(segments, (*(_WARNINGS[kind] for kind in found if kind in _WARNINGS), *script_warnings, *form))


_OTHER_FORM = "is not in Unicode's usual form (NFC): another text looks just the same"


_WARNINGS = {
    "bidi": "contains characters that change the reading direction",
    "tag": "contains invisible tag characters, which can carry hidden text",
    "variation": "contains variation selectors, which can carry hidden text",
    "zero width": "contains characters of no width",
    "line break": "contains unusual line breaks",
    "control": "contains control characters",
    "private": "contains characters that mean something only privately",
    "unassigned": "contains code points that are no characters",
    "format": "contains invisible formatting characters",
    "space": "contains spaces that are no ordinary spaces",
    "flood": "stacks marks upon marks",
    "stray": "has marks that belong to no letter",
}


def _pieces(text: str, letters: dict[int, str]) -> Iterator[Segment]:
    place, odd = 0, sorted(letters)
    for found in _PIECES.finditer(text):
        yield from _plain(text, place, found.start(), letters, odd)
        yield _escape(found)
        place = found.end()
    yield from _plain(text, place, len(text), letters, odd)


def _plain(text: str, start: int, end: int, letters: dict[int, str], places: list[int]) -> Iterator[Segment]:
    """Plain text, but for the letters of a foreign script, by their sorted places."""
    place = start
    for odd in places[bisect_left(places, start) : bisect_left(places, end)]:
        if odd > place:
            yield Segment(text[place:odd])
        yield Segment(text[odd], "confusable", f"{text[odd]}⟨{_code(text[odd])}⟩", letters[odd])
        place = odd + 1
    if end > place:
        yield Segment(text[place:end])


def _escape(found: "regex.Match[str]") -> Segment:
    text, group = found[0], found.lastgroup or ""
    if group in ("emoji", "keycap"):
        return Segment(text)
    escaped: tuple[str, str, str]
    codes = "".join(f"⟨{_code(character)}⟩" for character in text)
    match group:
        case "newline":
            escaped = (group, "⏎" if text == "\n" else "␍⏎", _NAMES[text])
        case "spaces":
            escaped = (group, "·" * len(text), f"{len(text)} spaces")
        case "flood" | "stray":
            escaped = (group, codes, "stacked marks" if group == "flood" else "marks on no letter")
        case "sign":
            escaped = (group, codes, _name_of(text))
        case _:
            escaped = ("tab", "⇥", "TAB") if text == "\t" else (_kind_of(text), codes, _name_of(text))
    return Segment(text, *escaped)


@lru_cache(maxsize=1024)
def _kind_of(character: str) -> str:
    return next((kind for kind, pattern in _KINDS if pattern.fullmatch(character)), "format")


def _code(character: str) -> str:
    return f"U+{ord(character):04X}"


def _name_of(character: str) -> str:
    return _NAMES[character] if character in _NAMES else unicodedata.name(character, "no name")


def _merged(segments: Iterator[Segment]) -> Iterator[Segment]:
    """Neighbouring plain pieces as one."""
    held = ""
    for segment in segments:
        if not segment.kind:
            held += segment.text
            continue
        if held:
            yield Segment(held)
        held = ""
        yield segment
    if held:
        yield Segment(held)
