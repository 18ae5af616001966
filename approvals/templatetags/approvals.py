"""Template tags of the approval queue: visible text, pictures of fingerprints, time left."""

from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from agentconsole.protocol.fingerprint import short
from approvals.models import Action
from approvals.presentation import Segment, Visible, directed, picture, visible
from runs.queries.shapes import iso
from runs.wording import duration_text, exact_text

register = template.Library()

_CELL = 4


@register.simple_tag(name="visible")
def visible_tag(text: Visible | None, missing: str = "–") -> SafeString | str:
    """Text with nothing hidden in it: escapes are marked, with their names on hover; direction can't leak out of it."""
    if text is None or not text.segments:
        return missing
    return format_html(
        '<bdi class="seen" dir="ltr">{}</bdi>', format_html_join("", "{}", ((_segment(one),) for one in text.segments))
    )


def _segment(segment: Segment) -> SafeString | str:
    if not segment.kind:
        return format_html_join(
            "", "{}", ((_run(text) if is_rtl else text,) for text, is_rtl in directed(segment.text))
        )
    mark = format_html(
        '<span class="escape" data-kind="{}" title="{}">{}</span>', segment.kind, segment.name, segment.shown
    )
    return format_html("{}\n", mark) if segment.kind == "newline" else mark


def _run(text: str) -> SafeString:
    return format_html("<bdi>{}</bdi>", text)


@register.simple_tag(name="picture")
def picture_tag(fingerprint: str) -> SafeString:
    """The fingerprint's picture."""
    drawn = picture(fingerprint)
    roles = (drawn.first, drawn.second)
    cells = format_html_join(
        "",
        '<rect x="{}" y="{}" width="{}" height="{}" class="p{}"/>',
        ((cell.x * _CELL, cell.y * _CELL, _CELL, _CELL, roles[cell.colour]) for cell in drawn.cells),
    )
    size = drawn.size * _CELL
    return format_html(
        '<svg class="print" viewBox="0 0 {} {}" role="img" aria-label="picture of {}">{}</svg>',
        size,
        size,
        short(fingerprint),
        cells,
    )


@register.filter(name="short")
def short_filter(fingerprint: str) -> str:
    """`acf1:7f3a91c2…`."""
    return short(fingerprint)


@register.simple_tag
def left(until: datetime | None) -> SafeString | str:
    """The time until then, counting down in the browser."""
    if until is None:
        return mark_safe("–")
    seconds = (until - timezone.now()).total_seconds()
    text = duration_text(seconds * 1000) if seconds > 0 else "no time"
    return format_html(
        '<time class="left" datetime="{}" title="{}" data-left>{} left</time>', iso(until), exact_text(until), text
    )


@register.filter
def title(action: Action) -> str:
    """The action in a few words, for headings of pages; never for a decision."""
    return visible(f"{action.operation} {action.resource}".strip()).safe[:120]


@register.filter
def name_of_actor(actor: str) -> str:
    """Who did it, as people say it."""
    kind, _, name = actor.partition(":")
    match kind:
        case "person" | "agent":
            return name
        case "policy":
            return f"the policy ({name})"
        case _:
            return "the console"
