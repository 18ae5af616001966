"""What is typed finds what was said: the same words on both sides, in any script, and no text is an error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traces.search.asked import fts5, terms_in, tsquery
from traces.search.snippet import CHARS, snippet
from traces.search.words import indexed


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ROUTER_DECISION took 35ms", "router decision took 35ms"),
        ("Zürich, ČESKÝ straße", "zurich cesky strasse"),
        ("Заказ отменён", "заказ отменен"),
        ("数据库连接 refused", "数 据 库 连 接 refused"),
        ("/var/log/app-1.log", "var log app 1 log"),
        ("", ""),
    ],
)
def test_words_are_folded_and_split(text: str, words: str):
    assert indexed(text) == words


def test_a_word_is_a_beginning_and_a_quoted_one_stands_as_it_is():
    terms = terms_in('check "out of memory" 连接')
    assert fts5(terms) == '"check"* AND "out of memory" AND "连 接"*'
    assert tsquery(terms) == "('check':*) & ('out' <-> 'of' <-> 'memory') & ('连' <-> '接':*)"


@given(st.text(max_size=200))
def test_no_text_can_leave_its_quotes(text: str):
    terms = terms_in(text)
    assert all(word.isalnum() or not word.isascii() for term in terms for word in term.words)
    assert not any(sign in word for term in terms for word in term.words for sign in "\"'\\:*&|!()<>")


def test_a_snippet_shows_what_was_asked_for_and_what_stands_around_it():
    text = "x " * 500 + "the checkout Timed out" + " y" * 500
    pieces = snippet(text, terms_in("timed"))
    assert [part for part, is_hit in pieces if is_hit] == ["Timed"]
    assert sum(len(part) for part, _ in pieces) <= CHARS + 2
    assert snippet("short", ()) == [("short", False)]
