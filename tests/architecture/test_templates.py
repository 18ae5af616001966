"""Templates carry no script, no handler and no style of their own: the content security policy would stop them."""

import re

import pytest

from tests.architecture.source import ROOT, templates

FORBIDDEN = {
    "an inline handler": re.compile(r"""\son[a-z]+\s*=""", re.IGNORECASE),
    "an inline style": re.compile(r"""\sstyle\s*=|<style\b""", re.IGNORECASE),
    "an inline script": re.compile(r"<script\b(?![^>]*\ssrc=)", re.IGNORECASE),
    "a script URL": re.compile(r"javascript:", re.IGNORECASE),
    "a third party": re.compile(r"""(?:src|srcset|action)\s*=\s*["']?(?:https?:)?//""", re.IGNORECASE),
    "unescaped text": re.compile(r"(?<!help_text)\|\s*safe\b|autoescape\s+off"),  # Django's own help texts are HTML
}


@pytest.mark.parametrize("template", templates(), ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_a_template_has_nothing_inline(template):
    text = template.read_text(encoding="utf-8")
    assert [name for name, pattern in FORBIDDEN.items() if pattern.search(text)] == []


@pytest.mark.parametrize(
    "text",
    ['<a onclick="x">', "<p style='x'>", "<script>", '<script type="module">', '<img src="//x">', "{{ x|safe }}"],
)
def test_the_patterns_find_what_they_should(text):
    assert any(pattern.search(text) for pattern in FORBIDDEN.values())
