"""JSON that goes through letter for letter, and what is refused instead of repaired."""

import enum
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from agentconsole.protocol.exact_json import ExactJsonError, Number, dump_exact, parse_exact, plain, same_json

texts = some.text(some.characters(exclude_categories=["Cs"]))
numbers = some.from_regex(r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,4})?", fullmatch=True).map(Number)
values = some.recursive(
    some.none() | some.booleans() | texts | numbers,
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


@given(values)
def test_what_is_written_is_read_back_letter_for_letter(value: Any):
    assert parse_exact(dump_exact(value)) == value
    assert dump_exact(parse_exact(dump_exact(value))) == dump_exact(value)


@given(numbers)
def test_a_numbers_value_is_that_of_its_decimal(number: Number):
    negative, digits, power = number.parts()
    assert Decimal((int(negative), tuple(map(int, digits)), power)) == Decimal(number.text)


@given(numbers, numbers)
def test_numbers_are_equal_by_value(one: Number, other: Number):
    assert same_json(one, other) == (Decimal(one.text) == Decimal(other.text))


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ('{"a": 1, "a": 2}', "duplicate_key"),
        ('{"a": {"b": 1, "\\u0062": 2}}', "duplicate_key"),
        ("[NaN]", "invalid_json"),
        ("[-Infinity]", "invalid_json"),
        ('["\\ud800"]', "lone_surrogate"),
        ('{"\\udc00": 1}', "lone_surrogate"),
        ("[" * 1_000_000, "too_deep"),
        ('{"a":' * 65 + "1" + "}" * 65, "too_deep"),
        ("[1] x", "invalid_json"),
        ("\ufeff[]", "invalid_json"),
        (b"\xff", "not_utf8"),
        ("", "invalid_json"),
        ("[01]", "invalid_json"),
        ("[1e100000000000000000]", "invalid_json"),
        ("[1000e-" + "9" * 5000 + "]", "invalid_json"),
        ('"' + '\\"' * 500_000 + "[" * 65, "invalid_json"),
        ('["\ud800"]', "lone_surrogate"),
        (b'["\xed\xa0\x80"]', "not_utf8"),
        (b"\xff\xfe[\x00]\x00", "not_utf8"),
    ],
)
def test_what_is_refused_has_a_name(raw: str | bytes, code: str):
    with pytest.raises(ExactJsonError) as refusal:
        parse_exact(raw)
    assert refusal.value.code == code


def test_brackets_in_texts_are_no_nesting():
    assert parse_exact(json.dumps("[" * 500)) == "[" * 500


def test_a_number_of_any_length_costs_nothing_but_its_text():
    text = "9" * 100_000
    assert dump_exact(parse_exact(text)) == text
    assert plain(Number("1e3")) == 1000
    assert plain(Number("1e999999")) == Decimal("1e999999")


@pytest.mark.parametrize(("one", "other"), [(True, 1), (1, "1"), (None, False), (0, False), ([], {}), ("é", "e\u0301")])
def test_kinds_are_not_mixed_up(one: Any, other: Any):
    assert not same_json(one, other)


def test_numbers_written_otherwise_are_equal():
    assert same_json(parse_exact("[1.0, 1e2, -0, 0.10]"), parse_exact("[1, 100, 0, 1E-1]"))


def test_numbers_at_the_edge_of_what_is_taken():
    for text, value in (
        ("1e99999999999999999", Decimal("1e99999999999999999")),
        ("10e99999999999999998", Decimal("1e99999999999999999")),
        ("1e" + "0" * 5000 + "1", Decimal(10)),
        ("0e" + "9" * 5000, Decimal(0)),
        ("-0", Decimal(0)),
    ):
        number = parse_exact(text)
        assert (number.text, number.as_decimal()) == (text, value)
        assert plain(number) == value


@pytest.mark.parametrize("text", ["1,2", "01", "\u0661", "1_0", " 1", "Infinity", "NaN", "", "1.", ".5", "+1"])
def test_a_text_that_is_no_number_is_not_written_as_one(text: str):
    with pytest.raises(ValueError, match="JSON number"):
        dump_exact([Number(text)])
    with pytest.raises(ExactJsonError):
        Number(text).parts()


@pytest.mark.parametrize("value", [float("nan"), float("-inf"), Decimal("NaN"), Decimal("Infinity")])
def test_what_is_not_finite_is_not_written(value: Any):
    with pytest.raises(ValueError, match="NaN"):
        dump_exact(value)


@pytest.mark.parametrize("value", [b"", {1: 2}, {1, 2}, object()])
def test_what_json_has_no_word_for_is_not_written(value: Any):
    with pytest.raises(TypeError):
        dump_exact(value)


class Colour(str, enum.Enum):  # noqa: UP042  a StrEnum would hide what str() makes of this one
    RED = "red"


class Metres(float):
    """Stands for the float subclasses of numeric libraries, whose repr is no number."""

    def __repr__(self) -> str:
        return f"Metres({float(self)})"


def test_subclasses_are_written_by_their_value():
    assert dump_exact({Colour.RED: [Colour.RED, Metres(1.5), 10**5000]}) == '{"red":["red",1.5,1' + "0" * 5000 + "]}"
    assert same_json([Colour.RED, Metres(1.5)], parse_exact('["red", 15e-1]'))


def test_an_error_shows_no_value_and_its_key_only_escaped_and_cut():
    key = "\u202e" + "k" * 500
    with pytest.raises(ExactJsonError) as refusal:
        parse_exact(json.dumps({"a": [{key: "secret \ud800"}]}))
    assert refusal.value.place == "a.0.\\u202e" + "k" * 59
    assert "secret" not in refusal.value.message
    assert refusal.value.message.isascii()
