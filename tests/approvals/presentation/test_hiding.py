"""Text that hides, imitates the page's own marks, or changes its place without a control character."""

import importlib
import sys

import pytest
import regex
from django.template import Context, Template
from hypothesis import given
from hypothesis import strategies as some

from approvals.presentation import directed, visible

IGNORABLE = regex.compile(r"[\p{Default_Ignorable_Code_Point}\p{Cc}\p{Cf}\p{Cn}\p{Co}\p{Zl}\p{Zp}]|(?! )\p{Zs}|\u2800")


def drawn(text: str) -> str:
    return Template("{% load approvals %}{% visible text %}").render(Context({"text": visible(text)}))


def test_no_character_that_unicode_calls_ignorable_is_ever_plain():
    rare = regex.compile(r"(?!\p{Default_Ignorable_Code_Point})[\p{Cn}\p{Co}]")
    every = (chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000)
    hidden = [one for one in every if IGNORABLE.match(one) and (not rare.match(one) or ord(one) % 97 == 0)]
    segments = visible("a" + "a".join(hidden) + "a").segments
    assert len(segments) == 2 * len(hidden) + 1
    assert {segment.text for segment in segments if not segment.kind} == {"a"}


def test_bytes_behind_a_smile_are_hidden_text():
    payload = "".join(chr(0xE0100 + byte) for byte in b"rm -rf /")
    shown = visible(f"\U0001f600{payload}")
    assert [segment.kind for segment in shown.segments] == ["", *["variation"] * len(payload)]
    assert shown.warnings == ("contains variation selectors, which can carry hidden text",)


@pytest.mark.parametrize("text", ["\u0338rm", "a \u0338b", "a\n\u0301", "\u200b\u0301"])
def test_a_mark_without_a_letter_does_not_sit_on_what_the_page_says(text: str):
    assert "stray" in {segment.kind for segment in visible(text).segments}


@pytest.mark.parametrize("text", ["⟨U+202E⟩", "a⏎b", "a⇥b", "rm··", " ·x"])
def test_text_can_not_imitate_an_escape(text: str):
    signs = [segment for segment in visible(text).segments if segment.kind == "sign"]
    assert signs
    assert all(segment.shown.startswith("⟨U+") for segment in signs)
    assert visible(text).original == text


def test_an_escape_says_its_name():
    assert '<span class="escape" data-kind="bidi" title="RIGHT-TO-LEFT OVERRIDE">⟨U+202E⟩</span>' in drawn("a\u202eb")


def test_right_to_left_words_are_isolated_one_by_one():
    assert (
        drawn("\u05d0\u05d1 \u05d2 = 1; b") == '<bdi class="seen" dir="ltr"><bdi>\u05d0\u05d1 \u05d2</bdi> = 1; b</bdi>'
    )
    assert "<bdi>\u0663</bdi>/<bdi>\u0664</bdi>" in drawn("\u0627 \u0663/\u0664").replace("<bdi>\u0627</bdi> ", "")


@given(some.text())
def test_directions_join_to_the_text(text: str):
    assert "".join(piece for piece, _is_leftward in directed(text)) == text


@given(some.text(some.sampled_from("ab1 /;\u05d0\u05d1\u0627\u0663\u0664\u0301")))
def test_signs_and_digits_stay_out_of_right_to_left_runs(text: str):
    for piece, is_leftward in directed(text):
        assert is_leftward or not regex.search(r"[\p{bc=R}\p{bc=AL}\p{bc=AN}]", piece)
        assert not is_leftward or not regex.search(r"[a-z0-9/;]", piece)


def test_markup_in_text_is_text():
    assert "<b>" not in drawn("<b>\u05d0<b>\u202e<b>")


class Counted(dict[int, str]):
    """Counts how many of its keys are read one after the other."""

    reads = 0

    def __iter__(self):
        Counted.reads += len(self)
        return super().__iter__()


def test_a_place_is_looked_up_not_searched(monkeypatch: pytest.MonkeyPatch):
    module = importlib.import_module("approvals.presentation.visible")
    odd_letters = module.odd_letters
    monkeypatch.setattr(Counted, "reads", 0)
    monkeypatch.setattr(module, "odd_letters", lambda text: (Counted(odd_letters(text)[0]), ()))
    assert len(visible("\u0440a\n" * 2_000).segments) == 6_000
    assert Counted.reads <= 2_000


def test_a_megabyte_comes_back_whole():
    text = ("plain words " * 10 + "x\u202e\u0440ay\u200b\n") * 8_500
    assert len(text) > 1_000_000
    assert visible(text).original == text
