"""The token explorer."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from agentconsole.protocol.tokens import TOKENS
from runs.access import Role, requires, visible_environments
from runs.queries.run_filter import RANGES
from traces.queries.events import (
    COUNTED_A_TOKEN,
    LEVELS,
    event_cursor_of,
    event_filter_of,
    event_page,
    token_counts,
)

_FIELDS = ("token", "level", "environment", "range")


@require_GET
@requires(Role.VIEWER)
def explorer(request: HttpRequest) -> HttpResponse:
    """Without a token, which there are; with one, its events across runs."""
    if any(name in request.GET and not request.GET[name].strip() for name in _FIELDS):
        kept = request.GET.copy()
        for name in _FIELDS:
            if not kept.get(name, "").strip():
                kept.pop(name, None)
        return redirect(f"{request.path}?{kept.urlencode()}" if kept else request.path)
    visible = visible_environments(request.user)
    chosen = event_filter_of(request.GET, visible, timezone.now())
    cursor = event_cursor_of(request.GET.get("before", ""))
    context = {
        "chosen": chosen,
        "environment": chosen.environment,
        "page": event_page(chosen, cursor) if chosen.token else None,
        "is_first_page": cursor is None,
        "counts": [] if chosen.token else token_counts(chosen),
        "counted": COUNTED_A_TOKEN,
        "meaning": TOKENS.get(chosen.token, ""),
        "tokens": TOKENS,
        "ranges": RANGES,
        "levels": LEVELS,
        "visible": visible,
    }
    return render(request, "traces/explorer.html", context)
