"""Text made visible: nothing that hides, reorders or pretends reaches the page as itself."""

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as some

from agentconsole.protocol.exact_json import parse_exact
from agentconsole.protocol.fingerprint import ActionEnvelope, canonical_bytes
from approvals.policy import Terms
from approvals.presentation import Progress, digest, folds, picture, present, rows, visible

FORBIDDEN = regex.compile(
    r"[\p{Cc}\p{Co}\p{Cn}\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069\u2028\u2029\u200B\u200C\uFEFF\u00AD\u3164\uFFA0]"
    r"|[\U000E0000-\U000E007F\U000E0100-\U000E01EF]"
)


def kinds(text: str) -> set[str]:
    return {segment.kind for segment in visible(text).segments if segment.kind}


@given(some.text())
def test_the_pieces_join_to_the_text(text: str):
    assert visible(text).original == text


@given(some.text(some.characters(categories=["Cc", "Cf", "Co", "Cn", "Zs", "Zl", "Zp", "Ll", "Mn"])))
def test_nothing_forbidden_is_plain(text: str):
    for segment in visible(text).segments:
        assert segment.kind or not FORBIDDEN.search(segment.text)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("access\u202e\u2066// admin\u2069\u2066", "bidi"),
        ("ignore \U000e0049\U000e0067\U000e006e", "tag"),
        ("a\u200bb", "zero width"),
        ("a\u00adb", "zero width"),
        ("\u3164", "zero width"),
        ("x\ufe0fy", "variation"),
        ("x\U000e0101", "variation"),
        ("\x1b[31m", "control"),
        ("a\u0000", "control"),
        ("\ue000", "private"),
        ("\U0010fffd", "private"),
        ("\u0378", "unassigned"),
        ("a\u2028b", "line break"),
        ("a\u00a0b", "space"),
        ("a\u3000b", "space"),
        ("e" + "\u0301" * 9, "flood"),
        ("p\u0430ypal", "confusable"),
        ("\u0441\u043e\u0441\u043e login", "confusable"),
        ("\uff50\uff41\uff59", "confusable"),
        ("\U0001d429ay", "confusable"),
        ("a\nb", "newline"),
        ("a\tb", "tab"),
        ("a  b", "spaces"),
        ("a ", "spaces"),
    ],
)
def test_a_hostile_text(text: str, kind: str):
    assert kind in kinds(text)
    warned = bool(visible(text).warnings)
    assert warned is (kind not in ("newline", "tab", "spaces"))


@pytest.mark.parametrize(
    "text",
    [
        "restart checkout",
        "café",
        "приветствие",
        "日本語とtext",
        "العربية",
        "עברית",
        "한국어 test",
        "👩‍👩‍👧",
        "👍🏽",
        "1️⃣",
        "Ω",
    ],
)
def test_what_people_write_stays_as_it_is(text: str):
    assert kinds(text) == set()
    assert not visible(text).warnings


def test_the_warning_names_the_scripts():
    assert visible("p\u0430ypal").warnings == ("has a word that mixes Latin with Cyrillic",)
    assert visible("\u0441\u043e\u0441\u043e login").warnings == ("has a Cyrillic word that looks Latin",)


def test_long_values_are_folded_whole_and_nothing_is_cut():
    text = "line\n" * 500
    (row,) = rows({"script": text})
    assert row.fold_id
    assert row.value is not None
    assert row.value.original == text
    assert row.size == len(text)
    many = rows({"list": list(range(200))})
    assert sum(one.kind == "group" for one in many) == 3
    assert len([one for one in many if one.kind == "number"]) == 200


def test_numbers_are_shown_as_they_are():
    shown = rows(parse_exact('{"n": 12345678901234567890, "t": "12345678901234567890", "z": null, "e": {}, "l": []}'))
    assert [(one.kind, one.value.original if one.value else "") for one in shown] == [
        ("empty object", "{}"),
        ("empty list", "[]"),
        ("number", "12345678901234567890"),
        ("text", "12345678901234567890"),
        ("nothing", "null"),
    ]


def shown_with(arguments: str = "{}", **changed: object):
    envelope = ActionEnvelope(
        environment="prod", operation="restart", tool="t", agent="a", arguments=parse_exact(arguments)
    )
    usual = {
        "version": 1, "instance": "one", "is_delegation_verified": False, "risk": "", "reasoning": "", "summary": "",
        "terms": Terms(), "progress": Progress(), "drift": [], "deadline_at": "2026-01-01T00:00:00Z",
    }  # fmt: skip
    return present(canonical_bytes(envelope), **{**usual, **changed})  # type: ignore[arg-type]


def test_the_digest_changes_with_anything_that_is_shown():
    first = digest(shown_with())
    assert digest(shown_with()) == first
    others = [
        shown_with('{"a": 1}'),
        shown_with(version=2),
        shown_with(risk="high"),
        shown_with(reasoning="because"),
        shown_with(terms=Terms(approvals=2)),
        shown_with(progress=Progress(approvals=("omar",))),
        shown_with(drift=[{"path": "$.a", "kind": "changed", "before": "1", "after": "2"}]),
        shown_with(deadline_at="2026-01-01T00:00:01Z"),
        shown_with(is_delegation_verified=True),
    ]
    assert len({first, *map(digest, others)}) == len(others) + 1


def test_what_is_folded_has_to_be_opened():
    assert folds(shown_with('{"a": "short"}')) == frozenset()
    assert len(folds(shown_with('{"a": "' + "x" * 500 + '"}'))) == 1


def test_a_picture_is_the_same_for_the_same_fingerprint_and_symmetrical():
    one, other = picture("acf1:" + "ab" * 32), picture("acf1:" + "cd" * 32)
    assert one == picture("acf1:" + "ab" * 32) != other
    cells = {(cell.x, cell.y) for cell in one.cells}
    assert cells == {(6 - x, y) for x, y in cells}
