"""Template tags of every page: icons, badges, times, durations, links that keep the query."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django import template
from django.template.context import RequestContext
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from runs.lacks import Lacks
from runs.models import Run
from runs.queries.shapes import iso
from runs.timeline.state import state_of
from runs.wording import (
    TRANSPORT_ICONS,
    badge_of,
    duration_text,
    environment_role,
    exact_text,
    relative_text,
)

register = template.Library()

SHOWN_WHOLE = 16
SPRITE = "vendor/lucide/sprite.svg"


@register.simple_tag
def icon(name: str) -> SafeString:
    """A Lucide icon of the vendored sprite, hidden from screen readers: a word stands beside it."""
    return format_html(
        '<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>', static(SPRITE), name
    )


@register.simple_tag
def sprite_url() -> str:
    """Where `icons.js` finds the sprite."""
    return static(SPRITE)


@register.simple_tag
def when(at: datetime | None, missing: str = "–") -> SafeString | str:
    """A time as `4 min ago`, kept fresh by time.js, with the exact UTC on hover."""
    if at is None:
        return missing
    return format_html(
        '<time datetime="{}" title="{}" data-when>{}</time>',
        iso(at),
        exact_text(at),
        relative_text(at, timezone.now()),
    )


@register.simple_tag
def without(lacks: Lacks) -> SafeString:
    """Missing tools by name, each with its reason."""
    reasons = ((name, f" ({reason})" if reason else "") for name, reason in lacks.tools)
    named = format_html_join(", ", "<code>{}</code>{}", reasons)
    return format_html("{} and {} more", named, lacks.more) if lacks.more else named


@register.simple_tag
def exact(at: datetime | None, missing: str = "–") -> SafeString | str:
    """A time written out in UTC."""
    if at is None:
        return missing
    return format_html('<time datetime="{}">{}</time>', iso(at), exact_text(at))


@register.simple_tag
def elapsed(since: datetime, until: datetime | None = None) -> SafeString:
    """How long from `since` to `until`; without an end it goes on counting in the browser."""
    if until is not None:
        return format_html("<span>{}</span>", milliseconds((until - since).total_seconds() * 1000))
    spent = (timezone.now() - since).total_seconds() * 1000
    return format_html(
        '<time datetime="{}" title="since {}" data-elapsed>{}</time>',
        iso(since),
        exact_text(since),
        duration_text(max(spent, 0)),
    )


@register.filter
def milliseconds(value: float | None) -> str:
    """`1.2 s` of 1234."""
    return "–" if value is None else duration_text(max(value, 0))


@register.simple_tag
def status_badge(word: str) -> SafeString:
    """A status, outcome or level as icon, word and colour."""
    badge = badge_of(word)
    return format_html(
        '<span class="badge" data-role="{}" data-word="{}">{}<span>{}</span></span>',
        badge.role,
        word,
        icon(badge.icon),
        badge.word,
    )


@register.simple_tag
def run_badge(run: Run) -> SafeString:
    """The state of a run by the clock: one that calls itself running and gives no sign of life is quiet, then stalled."""
    state = state_of(run, timezone.now())
    return format_html('<span title="{}">{}</span>', state.sentence, status_badge(state.word))


@register.simple_tag
def outcome_badge(word: str, count: int | None = None) -> SafeString:
    """An outcome as icon, word and colour; with a count, as that many calls."""
    if count is None:
        return status_badge(word)
    badge = badge_of(word)
    return format_html(
        '<span class="count" data-role="{}" title="{} {}">{}<span>{}</span><span class="sr"> {}</span></span>',
        badge.role,
        count,
        badge.word,
        icon(badge.icon),
        count,
        badge.word,
    )


@register.simple_tag
def environment_chip(name: str) -> SafeString:
    """An environment in its colour."""
    return format_html('<span class="env" data-env="{}">{}</span>', environment_role(name), name)


@register.filter
def url_time(at: datetime) -> str:
    """A time as the list's `from` and `to` take it: UTC to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


@register.filter
def clock(at: datetime) -> str:
    """A time of an axis: the clock, with the day where the clock alone would not tell."""
    at = at.astimezone(UTC)
    day = "" if at.date() == timezone.now().astimezone(UTC).date() else "%d %b "
    return at.strftime(day + ("%H:%M:%S" if at.second else "%H:%M"))


@register.filter
def env_role(name: str) -> str:
    """The colour role of an environment's name."""
    return environment_role(name)


@register.filter
def transport_icon(transport: str) -> str:
    """The icon of a door."""
    return TRANSPORT_ICONS.get(transport, "plug")


@register.simple_tag(takes_context=True)
def query(context: RequestContext, **changes: Any) -> str:
    """This page's query with some parameters set, or taken out where None; paging starts again unless it is what changed."""
    params = context["request"].GET.copy()
    for name in ("before", "after"):
        params.pop(name, None)
    for name, value in changes.items():
        params.pop(name, None)
        if value is not None:
            params[name] = str(value)
    return f"?{params.urlencode()}"


@register.simple_tag(takes_context=True)
def query_without(context: RequestContext, name: str) -> str:
    """This page's query without one parameter."""
    return query(context, **{name: None})


@register.filter
def value_of(values: Mapping[str, Any], name: str) -> Any:
    """The value under a name that the template holds in a variable; nothing if there is none."""
    return values.get(name, "")


@register.filter
def short_id(text: str | None) -> str:
    """The beginning and the end of a long ID: what two people compare. The whole is in its title and in its copy button."""
    text = text or ""
    return text if len(text) <= SHOWN_WHOLE else f"{text[:8]}…{text[-6:]}"


register.filter("iso", iso)


@register.filter
def words(word: str) -> str:
    """A status or outcome in words."""
    return badge_of(word).word


@register.simple_tag
def share(part: int, whole: int) -> str:
    """`12 %`; what is not nothing never reads as nothing."""
    if not whole:
        return ""
    percent = part / whole * 100
    return "<1 %" if 0 < percent < 0.5 else f"{percent:.0f} %"  # noqa: PLR2004  what would round to 0


@register.simple_tag
def share_pieces(parts: Sequence[tuple[str, int]]) -> list[tuple[str, float, float]]:
    """Counts by word as pieces of a bar: role, left and width in percent."""
    whole, reached, pieces = sum(count for _word, count in parts), 0, []
    for word, count in parts:
        pieces.append((badge_of(word).role, round(reached / whole * 100, 2), round(count / whole * 100, 2)))
        reached += count
    return pieces
