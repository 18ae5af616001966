"""Words that mix scripts, and words of another script that look Latin: by Unicode's data, in the way of UTS #39."""

import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache

import regex

from approvals.presentation.twins import (
    LETTERS_CACHED,
    is_plain_letter_in_disguise,
    is_sign_in_disguise,
    looks_latin,
)

_SCRIPTS = (
    "Latin", "Cyrillic", "Greek", "Armenian", "Hebrew", "Arabic", "Syriac", "Thaana", "Devanagari", "Bengali", "Gurmukhi",
    "Gujarati", "Oriya", "Tamil", "Telugu", "Kannada", "Malayalam", "Sinhala", "Thai", "Lao", "Tibetan", "Myanmar",
    "Georgian", "Hangul", "Ethiopic", "Cherokee", "Canadian_Aboriginal", "Khmer", "Mongolian", "Hiragana", "Katakana",
    "Bopomofo", "Han", "Coptic", "Lisu", "Vai", "Deseret", "Osage",
)  # fmt: skip
_OF = {name: regex.compile(rf"\p{{scx={name}}}") for name in _SCRIPTS}
_COMMON = regex.compile(r"[\p{sc=Common}\p{sc=Inherited}]")
_WORD = regex.compile(r"[\p{L}\p{N}][\p{L}\p{M}\p{N}]*")
_NUMBER = regex.compile(r"\p{Nd}(?:[.,:_'’٫٬]?\p{Nd})*")
_SIGN = regex.compile(r"(?![\x00-\x7F])[\p{P}\p{S}\p{Lm}ǀǁǃ]")
# UTS #39, highly restrictive: what Japanese, Korean and Chinese write with Latin between is one writing.
_TOGETHER = (
    frozenset({"Latin", "Han", "Hiragana", "Katakana"}),
    frozenset({"Latin", "Han", "Bopomofo"}),
    frozenset({"Latin", "Han", "Hangul"}),
)
_WARNINGS_MAX = 10
_CACHED_WORD = 64

Odd = tuple[tuple[int, ...], str]


def odd_letters(text: str) -> tuple[dict[int, str], tuple[str, ...]]:
    """The places of characters that may be taken for others, each with its name, and warnings that say of what kind.

    Linear in the length of the text.
    """
    found = [*_odd_words(text), *_odd_numbers(text)]
    signs = tuple(one.start() for one in _SIGN.finditer(text) if is_sign_in_disguise(text, one.start()))
    if signs:
        found.append((signs, "contains signs that pass for others, such as a slash that is none"))
    places = sorted({place for odd, _warning in found for place in odd})
    warnings = dict.fromkeys(warning for _odd, warning in found)
    return {place: unicodedata.name(text[place], "no name") for place in places}, tuple(warnings)[:_WARNINGS_MAX]


def _odd_words(text: str) -> Iterator[Odd]:
    has_latin = regex.search(r"\p{Latin}", text) is not None

    @cache
    def is_evident(script: str) -> bool:
        """Whether the text has a letter that can only be of this script."""
        own = _OF.get(script)
        return own is not None and any(one.isalpha() and not looks_latin(one) for one in set(own.findall(text)))

    for found in _WORD.finditer(text):
        word = found[0]
        if word.isascii():
            continue
        odd, warning, script = _odd_in(word) if len(word) <= _CACHED_WORD else _odd_in.__wrapped__(word)
        if odd and (not script or has_latin or not is_evident(script)):
            yield tuple(found.start() + place for place in odd), warning


@lru_cache(maxsize=4096)
def _odd_in(word: str) -> tuple[tuple[int, ...], str, str]:
    """What is odd in a word, why, and the script if that is odd only beside other writing."""
    disguised = tuple(place for place, letter in enumerate(word) if is_plain_letter_in_disguise(letter))
    if disguised:
        return disguised, "contains letters of another width, style or alphabet that stand for plain ones", ""
    scripts = {place: scripts_of(letter) for place, letter in enumerate(word)}
    own = {place: names for place, names in scripts.items() if names}
    if not own:
        return (), "", ""
    if not _is_one_writing(set(own.values())):
        leading = _leading(list(own.values()))
        odd = tuple(place for place, names in own.items() if leading not in names)
        others = sorted({min(own[place]) for place in odd})
        return odd, f"has a word that mixes {leading} with {', '.join(others)}", ""
    shared = frozenset.intersection(*own.values())
    if "Latin" not in shared and all(looks_latin(word[place]) for place in own):
        script = min(shared, default="another script")
        return tuple(own), f"has a {script} word that looks Latin", script
    return (), "", ""


def _odd_numbers(text: str) -> Iterator[Odd]:
    """Digits of other scripts within a number, or where nothing else is written in their script: `৪` is four."""

    @cache
    def is_at_home(script: str) -> bool:
        return any(one.isalpha() for one in set(_OF[script].findall(text)))

    for found in _NUMBER.finditer(text):
        number = found[0]
        if number.isascii():
            continue
        foreign = tuple(place for place, digit in enumerate(number) if digit.isdecimal() and not digit.isascii())
        systems = {ord(digit) - unicodedata.decimal(digit) for digit in number if digit.isdecimal()}
        homes = [name for name in _written_in(number[foreign[0]]) if is_at_home(name)] if foreign else []
        if foreign and (len(systems) > 1 or not homes):
            mixed = "mixes digits of several scripts" if len(systems) > 1 else "has digits of another script"
            yield tuple(found.start() + place for place in foreign), f"{mixed} in a number"


@lru_cache(maxsize=LETTERS_CACHED)
def scripts_of(letter: str) -> frozenset[str]:
    """The scripts that a character is written in; none for what is common to all."""
    if _COMMON.fullmatch(letter):
        return frozenset()
    return _written_in(letter) or frozenset({"another script"})


@lru_cache(maxsize=LETTERS_CACHED)
def _written_in(character: str) -> frozenset[str]:
    return frozenset(name for name, pattern in _OF.items() if pattern.fullmatch(character))


def _is_one_writing(scripts: set[frozenset[str]]) -> bool:
    if frozenset.intersection(*scripts):
        return True
    return any(all(names & together for names in scripts) for together in _TOGETHER)


def _leading(scripts: list[frozenset[str]]) -> str:
    """The script of most letters; Latin among equals, which is what the others pretend to be."""
    names = sorted(frozenset.union(*scripts), key=lambda name: (name != "Latin", name))
    return max(names, key=lambda name: sum(name in one for one in scripts))
