"""Colours that can be read, icons that exist, vendored files that are what they say."""

import hashlib
import json
import re
from pathlib import Path

import pytest

from runs.shell import SECTIONS
from runs.wording import BADGES, TRANSPORT_ICONS

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "static"
TOKENS = {
    name: (light, dark)
    for name, light, dark in re.findall(
        r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)", (STATIC / "css/tokens.css").read_text()
    )
}
SURFACES = ("bg", "surface", "raised", "sunken")
TEXTS = [
    "text",
    "muted",
    "faint",
    "accent",
    *sorted({badge.role for badge in BADGES.values()} | {"waiting", "stalled"}),
]
TEXTS += ["env-prod", "env-staging", "env-dev", "env-other"]
TEXTS += ["kind-subagent", "kind-tool", "kind-model", "kind-retrieval", "kind-step"]


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, contrast ratio."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("name", TEXTS)
def test_text_can_be_read_on_every_surface_and_on_its_own_soft_twin(name: str, theme: int):
    grounds = [*SURFACES, *([f"{name}-soft"] if f"{name}-soft" in TOKENS else [])]
    ratios = {ground: contrast(TOKENS[name][theme], TOKENS[ground][theme]) for ground in grounds}
    assert min(ratios.values()) >= 4.5, ratios


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_phases_can_be_told_from_what_they_are_drawn_on(theme: int):
    for number in range(1, 9):
        ratios = [contrast(TOKENS[f"phase-{number}"][theme], TOKENS[ground][theme]) for ground in SURFACES]
        assert min(ratios) >= 3, (number, ratios)


def test_every_icon_that_is_named_is_in_the_sprite():
    sprite = set(re.findall(r'<symbol id="([\w-]+)"', (STATIC / "vendor/lucide/sprite.svg").read_text()))
    named = {badge.icon for badge in BADGES.values()} | set(TRANSPORT_ICONS.values())
    named |= {section.icon for section in SECTIONS}
    for template in (ROOT / "templates").rglob("*.html"):
        named |= set(re.findall(r'{% icon "([\w-]+)"', template.read_text()))
    for module in (STATIC / "js").rglob("*.js"):
        named |= set(re.findall(r'icon(?:\(|: )"([\w-]+)"', module.read_text()))
    assert named <= sprite, named - sprite


def test_vendored_files_are_the_versions_that_are_written_down():
    written = json.loads((STATIC / "vendor/VERSIONS.json").read_text())
    files = {
        path.relative_to(STATIC / "vendor").as_posix() for path in (STATIC / "vendor").rglob("*") if path.is_file()
    }
    assert files - {"VERSIONS.json"} == {name for entry in written.values() for name in entry["sha256"]}
    for entry in written.values():
        assert entry["version"]
        assert entry["licence"]
        for name, digest in entry["sha256"].items():
            assert hashlib.sha256((STATIC / "vendor" / name).read_bytes()).hexdigest() == digest
    assert f"Lucide {written['lucide']['version']}," in (STATIC / "vendor/lucide/sprite.svg").read_text()


def test_no_module_takes_html_strings_or_leaves_globals():
    for module in (STATIC / "js").rglob("*.js"):
        text = module.read_text()
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", text), (
            module
        )
        assert not re.search(r"\bwindow\.\w+ =[^=]", text), module
