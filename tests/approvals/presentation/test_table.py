"""The table of arguments and the warnings over it."""

from django.template.loader import render_to_string

from agentconsole.protocol.exact_json import parse_exact
from agentconsole.protocol.fingerprint import ActionEnvelope, canonical_bytes, read_envelope
from approvals.policy import Terms
from approvals.presentation import Progress, digest, present, rows


def shown_with(arguments: str = "{}", **changed: object):
    envelope = ActionEnvelope(
        environment="prod", operation="restart", tool="t", agent="a", arguments=parse_exact(arguments)
    )
    usual = {
        "version": 1, "instance": "one", "is_delegation_verified": False, "risk": "", "reasoning": "", "summary": "",
        "terms": Terms(), "progress": Progress(), "drift": [], "deadline_at": "2026-01-01T00:00:00Z",
    }  # fmt: skip
    return present(canonical_bytes(envelope), **{**usual, **changed})  # type: ignore[arg-type]


def test_rows_come_in_the_order_of_the_canonical_bytes():
    arguments = {"\ufb33": 1, "\U0001f600": 2, "a": 3}
    envelope = ActionEnvelope(environment="e", operation="o", tool="t", agent="a", arguments=arguments)
    canonical = [*read_envelope(canonical_bytes(envelope)).arguments]
    assert [row.name.original for row in rows(arguments)] == canonical == ["a", "\U0001f600", "\ufb33"]


def test_no_text_and_two_quotes_are_told_apart():
    first, second = rows({"a": "", "b": '""'})
    assert (first.kind, second.kind) == ("empty text", "text")


def test_values_are_opened_one_by_one():
    found = rows({"a": "x" * 500, "b": "y" * 500, "rows 60": "z" * 500, "many": list(range(70))})
    ids = [row.fold_id for row in found if row.fold_id]
    assert len(ids) == len(set(ids)) == 4
    assert all(len(one) == 32 for one in ids)


def test_deep_rows_say_where_they_are():
    page = render_to_string("approvals/parts/arguments.html", {"rows": rows({"a": {"b": {"c": {"d": 1}}, "e": 2}})})
    assert '<bdi class="quiet path">$.a.b.c.d</bdi>' in page
    assert "$.a.e</bdi>" not in page


def test_hidden_text_in_claims_and_differences_is_warned_of_too():
    hidden = "a\u202eb"
    change = {"path": "$.x", "kind": "changed", "before": '"a"', "after": f'"{hidden}"'}
    shown = shown_with(instance=hidden, reasoning=hidden, summary=hidden, drift=[change])
    said = "contains characters that change the reading direction"
    assert shown.warnings == (
        f"instance {said}", f"reasoning {said}", f"summary {said}", f"difference at $.x: {said}",
    )  # fmt: skip


def test_warnings_do_not_bury_the_page():
    arguments = ",".join(f'"k{number}": "\\u202e"' for number in range(500))
    warnings = shown_with(f"{{{arguments}}}").warnings
    assert len(warnings) == 41
    assert warnings[-1] == "and 460 more warnings of this kind, marked at their places"


def test_the_digest_tells_texts_apart_that_are_shown_with_the_same_signs():
    texts = ["a\u202eb", "a⟨U+202E⟩b", "a\u200bb", "ab", "a b", "caf\u00e9", "cafe\u0301"]
    digests = {digest(shown_with(reasoning=text)) for text in texts}
    assert len(digests) == len(texts)


def test_a_long_value_is_reached_by_the_keyboard():
    page = render_to_string("approvals/parts/arguments.html", {"rows": rows({"script": "x\n" * 300})})
    assert '<pre tabindex="0" role="region" aria-label="$.script">' in page
