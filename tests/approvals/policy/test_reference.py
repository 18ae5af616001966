"""What the editor and docs/policy.md say about rules is true and whole."""

import html
import json
import re

import pytest

from approvals.policy import parse_rules
from approvals.policy.parse import FIELDS
from approvals.policy.predicate import OPS
from tests.architecture.source import ROOT

REFERENCES = ["templates/approvals/policy_fields.html", "docs/policy.md"]


@pytest.mark.parametrize("reference", REFERENCES)
def test_every_field_and_every_op_is_named(reference: str):
    words = set(re.findall(r"[a-z_]+", (ROOT / reference).read_text(encoding="utf-8")))
    assert words >= FIELDS | set(OPS)


@pytest.mark.parametrize("reference", REFERENCES)
def test_its_example_is_a_policy(reference: str):
    text = (ROOT / reference).read_text(encoding="utf-8")
    example = re.search(r"^(?:\s*<pre[^>]*>)?(\[\n.*?\n\])", text, re.MULTILINE | re.DOTALL)
    assert example is not None
    assert len(parse_rules(json.loads(html.unescape(example[1])))) >= 2
