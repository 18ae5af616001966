"""Kept texts are read for display and never changed: redactions, the cut, JSON as a tree."""

import json

import pytest

from agentconsole.protocol.truncation import truncate
from runs.timeline.text import kept_text, pieces_of, question_of, tree_of_text


def test_redactions_stand_apart_with_their_detector():
    found = pieces_of("key=[REDACTED:field_name] and [REDACTED:bearer_token]!")
    assert [(piece.text, piece.detector) for piece in found] == [
        ("key=", ""), ("[REDACTED:field_name]", "field_name"), (" and ", ""), ("[REDACTED:bearer_token]", "bearer_token"), ("!", ""),
    ]  # fmt: skip


def test_a_cut_text_is_its_head_and_its_tail_without_the_marker():
    cut = truncate("🙂" * 1000 + "END", 400)
    kept = kept_text(cut.text, chars=cut.chars, sha256=cut.sha256, cut_at=cut.cut_at, cut_chars=cut.cut_chars)
    head, tail = (" ".join(piece.text for piece in pieces or ()) for pieces in (kept.head, kept.tail))
    assert (head[0], tail[-3:], "TRUNCATED" in head + tail) == ("🙂", "END", False)
    assert (kept.size, kept.left_out_text) == ("1,003 characters", f"{cut.cut_chars}")


def test_json_is_a_tree_with_types():
    tree = tree_of_text('{"rows": [1, null, "x"], "ok": true}')
    assert tree is not None
    rows, ok = tree.children
    assert ([child.type for child in rows.children], ok.type) == (["number", "word", "text"], "word")


@pytest.mark.parametrize(
    "text", ["plain", '"quoted"', "{not json", "[" * 200_000, json.dumps(list(range(5000))), "[NaN, 1"]
)
def test_what_is_no_tree_or_too_much_of_one_stays_text(text):
    assert tree_of_text(text) is None


@pytest.mark.parametrize(
    ("arguments", "question"),
    [
        ('{"query": "why", "k": 3}', "why"),
        ('{"task": "count"}', "count"),
        ('"plain question"', "plain question"),
        ("no json", "no json"),
        ('{"other": 1}', '{"other": 1}'),
    ],
)
def test_what_a_sub_agent_was_asked_is_found_in_its_arguments(arguments, question):
    assert question_of(arguments) == question
