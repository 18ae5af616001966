"""Template tags of the desk: what people and agents wrote, and the terms of a decision."""

from django import template
from django.utils.safestring import SafeString

from approvals.presentation import visible
from approvals.templatetags.approvals import visible_tag
from runs.wording import duration_text

register = template.Library()


@register.simple_tag
def seen(text: str | None) -> SafeString | str:
    """What an agent or a person wrote, with nothing hidden in it."""
    return visible_tag(visible(text or ""))


@register.filter
def seconds(value: int) -> str:
    """`5 min` of 300."""
    return duration_text(value * 1000)
