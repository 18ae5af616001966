"""A text is cut the same way everywhere: its beginning and end stay, no character is broken, the whole is described."""

import hashlib
import random
import re
import sys

import pytest
import regex
from hypothesis import example, given
from hypothesis import strategies as st

from agentconsole.protocol.truncation import DEFAULT_BUDGET, Cut, _is_boundary, truncate

MARKER = re.compile(r"\[TRUNCATED (\d+) chars\]")
# One of each way in which characters join: marks, viramas, joiners, flags, syllables, prefixes, line ends.
JOINING = "a\r\n \u0301\u200d\u0e33กक्षी😀👩🏽❤\ufe0f🇩🇪\u1100\u1161\u11a8가각\u0d4eക\u0600\uff9eｶ©"
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)
joining = st.text(st.sampled_from(JOINING), min_size=1, max_size=60)


def ends_of_clusters(text: str) -> set[int]:
    return {0} | {found.end() for found in regex.finditer(r"\X", text)}


def parts_of(text: str, cut: Cut) -> tuple[str, str]:
    """The head and the tail that a cut kept."""
    assert cut.cut_at is not None
    marker = MARKER.match(cut.text, cut.cut_at)
    assert marker is not None
    assert int(marker[1]) == cut.cut_chars
    return cut.text[: cut.cut_at], cut.text[marker.end() :]


def test_a_text_within_its_budget_is_left_alone():
    text = "é" * (DEFAULT_BUDGET // 2)
    assert truncate(text) == Cut(text, len(text), hashlib.sha256(text.encode()).hexdigest())


def test_one_byte_more_than_the_budget_is_cut():
    assert truncate("x" * (DEFAULT_BUDGET + 1)).cut_at is not None


def test_sixty_five_percent_of_the_budget_are_kept_from_the_start_and_twenty_five_from_the_end():
    text = "".join(chr(ord("a") + n % 26) for n in range(100_000))
    head, tail = parts_of(text, truncate(text, 10_000))
    assert (head, tail) == (text[:6_500], text[-2_500:])


def test_the_whole_text_is_described_by_its_length_and_digest():
    text = "naïve " * 10_000
    cut = truncate(text)
    assert (cut.chars, cut.sha256) == (60_000, hashlib.sha256(text.encode()).hexdigest())


def test_a_lone_surrogate_is_refused():
    with pytest.raises(UnicodeEncodeError):
        truncate("\ud800")


@given(st.one_of(texts, joining), st.integers(min_value=512, max_value=2_000))
@example("🇩🇪", 512)
@example("ก\u0e33", 515)
@example("क\u094d\u200dष", 513)
def test_what_is_kept_and_what_is_left_out_make_the_whole_within_the_budget(seed: str, budget: int):
    text = seed * (3_000 // len(seed))
    cut = truncate(text, budget)
    if cut.cut_at is None:
        assert cut.text == text
        return
    head, tail = parts_of(text, cut)
    assert text.startswith(head)
    assert text.endswith(tail)
    assert len(head) + cut.cut_chars + len(tail) == len(text) == cut.chars
    assert len(cut.text.encode()) <= budget


@given(st.one_of(texts, joining), st.integers(min_value=512, max_value=2_000))
@example("🇩🇪", 512)
@example("ก\u0e33", 515)
@example("क\u094d\u200dष", 513)
def test_no_cut_falls_inside_a_grapheme_cluster(seed: str, budget: int):
    text = (seed + ".") * (3_000 // (len(seed) + 1))
    cut = truncate(text, budget)
    if cut.cut_at is not None:
        head, tail = parts_of(text, cut)
        assert {len(head), len(text) - len(tail)} <= ends_of_clusters(text)


def test_every_character_that_unicode_joins_to_a_letter_is_known():
    letters = [chr(code) for code in range(0x300, sys.maxunicode + 1) if not 0xD800 <= code <= 0xDFFF]
    after = ends_of_clusters("".join(f"a{letter}\n" for letter in letters))
    before = ends_of_clusters("".join(f"\n{letter}a" for letter in letters))
    broken = [
        hex(ord(letter))
        for index, letter in enumerate(letters)
        if (3 * index + 1 not in after and _is_boundary(f"a{letter}", 1))
        or (3 * index + 2 not in before and _is_boundary(f"{letter}a", 1))
    ]
    assert broken == []


def test_every_pictograph_that_unicode_joins_is_known():
    joined = [chr(code) for code in range(0x80, sys.maxunicode + 1) if not 0xD800 <= code <= 0xDFFF]
    ends = ends_of_clusters("".join(f"😀\u200d{char}\n" for char in joined))
    missed = [hex(ord(char)) for index, char in enumerate(joined) if 4 * index + 2 not in ends]
    assert all(not _is_boundary(f"😀\u200d{chr(int(code, 16))}", 2) for code in missed)
    assert len(missed) > 1_000


def test_a_row_of_flags_longer_than_the_search_is_cut_between_flags():
    text = "🇩🇪" * 1_000
    for budget in range(512, 530):
        head, tail = parts_of(text, truncate(text, budget))
        assert (len(head) % 2, len(tail) % 2) == (0, 0)


def test_a_mark_storm_longer_than_any_real_cluster_is_still_cut():
    text = "a" + "\u0301" * 20_000
    assert truncate(text, 1_000).cut_at is not None


def test_cutting_a_cut_text_changes_nothing():
    text = "".join(random.Random(7).choices("aé😀\n", k=50_000))
    once = truncate(text)
    assert truncate(once.text).text == once.text
