"""What passes for something else is marked; what people write in their own script is not."""

import pytest

from approvals.presentation import visible


def confusables(text: str) -> str:
    return "".join(segment.text for segment in visible(text).segments if segment.kind == "confusable")


@pytest.mark.parametrize(
    ("text", "odd"),
    [
        ("p\u0430ypal", "\u0430"),
        ("\u0441\u043e\u0441\u043e", "\u0441\u043e\u0441\u043e"),
        ("ns/\u0441\u043e\u0441\u043e", "\u0441\u043e\u0441\u043e"),
        ("g\u0131thub", "\u0131"),
        ("p\u0251ypal", "\u0251"),
        ("\u0261oogle", "\u0261"),
        ("\u212aey", "\u212a"),
        ("\ufb01le", "\ufb01"),
        ("amount \u09ea00", "\u09ea"),
        ("\u09ea.00", "\u09ea"),
        ("id \u09ea", "\u09ea"),
        ("1\u066500", "\u0665"),
        ("\uff11\uff10", "\uff11\uff10"),
        ("\U0001d7cf0", "\U0001d7cf"),
        ("example.com\u2215evil", "\u2215"),
        ("example.com\u2044evil", "\u2044"),
        ("a\uff0fb", "\uff0f"),
        ("a\uff1brm", "\uff1b"),
        ("x\u2024y", "\u2024"),
        ("a\u037e", "\u037e"),
        ("x\u01c3", "\u01c3"),
    ],
)
def test_what_passes_for_ascii_is_marked(text: str, odd: str):
    assert confusables(text) == odd
    assert visible(text).original == text
    assert visible(text).warnings


@pytest.mark.parametrize(
    "text",
    [
        "сервер prod, мы на нём",
        "он сам",
        "Ω",
        "5 µs, 10 m², x₁, ½",
        "Don’t – “quote” — …",
        "完了（ok）です。",
        "العدد ١٢٣",
        "সংখ্যা ৪০",
        "բարև։",
        "İstanbul, straße, łódź, smørrebrød",
        "col·lecció",
    ],
)
def test_what_people_write_is_not(text: str):
    assert confusables(text) == ""
    assert visible(text).warnings == ()


def test_a_word_of_many_letters_is_looked_at_whole():
    assert confusables("a" * 5_000 + "\u0430") == "\u0430"


def test_every_word_of_a_long_text_is_looked_at():
    assert confusables("caf\u00e9 " * 40_000 + "p\u0430ypal") == "\u0430"


def test_forms_that_look_the_same_are_told_apart():
    composed, apart = visible("caf\u00e9"), visible("cafe\u0301")
    assert composed.warnings == ()
    assert apart.warnings == ("is not in Unicode's usual form (NFC): another text looks just the same",)
