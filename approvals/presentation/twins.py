"""Characters that pass for ASCII: which they are, by Unicode's confusables (UTS #39) and compatibility forms."""

import string
import unicodedata
from functools import cache, lru_cache
from typing import Any

import regex

LETTERS_CACHED = 1 << 16
# What separates or directs something to whoever parses the text. Quotes and dashes are not among them: people set them in type.
_STRUCTURE = frozenset('/\\.:;@|&<>$%#?*=!~^`()[]{},_"')
_TYPESET = frozenset("‚¸‹›˜ˆ´")
_RAISED = ("<super>", "<sub>", "<circle>")
_EAST_ASIAN = regex.compile(
    r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Bopomofo}\u3001-\u3003\u3008-\u3011\uFF00-\uFFEF]"
)


def load_likenesses() -> None:
    """Read Unicode's table now (0.1 s, 8 MB); else the first question about a character does. Processes that show nothing need none."""
    _confusables()


@cache
def _confusables() -> Any:
    from confusable_homoglyphs import confusables

    return confusables


@lru_cache(maxsize=LETTERS_CACHED)
def twins(character: str) -> frozenset[str]:
    """The ASCII characters that it looks like, or stands for."""
    found = _confusables().is_confusable(character, greedy=True) or ()
    alike = {glyph["c"] for one in found for glyph in one["homoglyphs"]} | {unicodedata.normalize("NFKC", character)}
    return frozenset(twin for twin in alike - {character} if len(twin) == 1 and twin.isascii())


@lru_cache(maxsize=LETTERS_CACHED)
def looks_latin(letter: str) -> bool:
    """Whether it may be taken for an ASCII letter. A likeness to small capitals and the like deceives nobody."""
    return letter in string.ascii_letters or any(twin in string.ascii_letters for twin in twins(letter))


@lru_cache(maxsize=LETTERS_CACHED)
def is_plain_letter_in_disguise(letter: str) -> bool:
    """Full width, mathematical bold, a ligature; or a Latin letter without an accent that looks like one of ASCII: `ɡ`, `ı`."""
    if letter.isascii() or unicodedata.decomposition(letter).startswith(_RAISED):
        return False
    plain = unicodedata.normalize("NFKC", letter)
    if plain != letter and plain.isascii() and plain.isalnum():
        return True
    is_latin = unicodedata.name(letter, "").startswith("LATIN ")
    return is_latin and not unicodedata.decomposition(letter) and any(twin.isalnum() for twin in twins(letter))


def is_sign_in_disguise(text: str, place: int) -> bool:
    """Whether the sign there passes for one that separates: a fraction slash, a full-width colon where no East Asian text is."""
    sign = text[place]
    if sign in _TYPESET or not _passes_for_structure(sign):
        return False
    around = text[max(place - 1, 0) : place] + text[place + 1 : place + 2]
    if _EAST_ASIAN.match(sign):
        return _EAST_ASIAN.search(around) is None
    return not any(_own_script(sign) == _own_script(one) != "" for one in around)


@lru_cache(maxsize=LETTERS_CACHED)
def _passes_for_structure(sign: str) -> bool:
    return not unicodedata.decomposition(sign).startswith(_RAISED) and not _STRUCTURE.isdisjoint(twins(sign))


def _own_script(character: str) -> str:
    """The first word of its name if that names a script that writes the character: an Armenian full stop in Armenian."""
    word = unicodedata.name(character, "").partition(" ")[0]
    return word if word in {"ARMENIAN", "MONGOLIAN", "HEBREW", "ARABIC", "LISU", "VAI", "BAMUM", "ETHIOPIC"} else ""
