"""The explorer: tokens, and the texts of runs."""

from typing import Any, cast

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from agentconsole.errors import BadRequestError
from agentconsole.protocol.tokens import TOKENS, is_token
from runs.access import Role, requires, visible_environments
from runs.models import SPAN_OUTCOMES, SavedView
from runs.queries.run_filter import RANGES
from runs.queries.search import search
from runs.services.saved_views import remove_view, save_view
from traces.queries import search_filter
from traces.queries.counts import counts
from traces.queries.events import (
    COUNTED_A_TOKEN,
    LEVELS,
    event_cursor_of,
    event_filter_of,
    event_page,
    token_counts,
)
from traces.queries.search import LOOKED_AT, indexed_until, matches
from traces.queries.search_filter import search_filter_of
from traces.queries.tool_health import COUNTED, health_filter_of, tool_table

PAGE = "traces"
_FIELDS = ("token", "level", "environment", "range", "q", "tool", "outcome", "agent")
_SEARCHES = ("q", "tool", "outcome", "agent")


@require_GET
@requires(Role.VIEWER)
def explorer(request: HttpRequest) -> HttpResponse:
    """Which tokens there are; with one, its events across runs; with words or conditions, what of any run answers them."""
    if any(name in request.GET and not request.GET[name].strip() for name in _FIELDS):
        return _without_blanks(request)
    visible = visible_environments(request.user)
    if any(name in request.GET for name in _SEARCHES):
        return _elsewhere(request, visible) or _found(request, visible)
    chosen = event_filter_of(request.GET, visible, timezone.now())
    cursor = event_cursor_of(request.GET.get("before", ""))
    context = {
        "chosen": chosen,
        "page": event_page(chosen, cursor) if chosen.token else None,
        "is_first_page": cursor is None,
        "counts": [] if chosen.token else token_counts(chosen),
        "counted": COUNTED_A_TOKEN,
        "meaning": TOKENS.get(chosen.token, ""),
    }
    return render(request, "traces/explorer.html", context | _choices(request, visible, chosen.environment))


def _without_blanks(request: HttpRequest) -> HttpResponse:
    kept = request.GET.copy()
    for name in _FIELDS:
        if not kept.get(name, "").strip():
            kept.pop(name, None)
    return redirect(f"{request.path}?{kept.urlencode()}" if kept else request.path)


def _elsewhere(request: HttpRequest, visible: list[str]) -> HttpResponse | None:
    """A token that is one of many, or an ID that names one run, is no question about texts."""
    text = request.GET.get("q", "").strip()
    if not text or any(name in request.GET for name in ("tool", "outcome", "agent")):
        return None
    if is_token(text) and "_" in text:
        kept = request.GET.copy()
        kept.pop("q")
        kept["token"] = text
        return redirect(f"{request.path}?{kept.urlencode()}")
    hits = search(text, visible).hits if any(one.isdigit() for one in text) and " " not in text else ()
    return redirect(hits[0].path) if len(hits) == 1 else None


def _found(request: HttpRequest, visible: list[str]) -> HttpResponse:
    chosen, now = search_filter_of(request.GET, visible, timezone.now()), timezone.now()
    before = _before(request.GET.get("before", ""))
    context = {
        "chosen": chosen,
        "page": matches(chosen, before),
        "is_first_page": before is None,
        "bars": counts(chosen, now) if before is None else None,
        "looked_at": LOOKED_AT,
        "indexed_until": indexed_until(),
    }
    return render(request, "traces/found.html", context | _choices(request, visible, chosen.environment))


def _before(text: str) -> int | None:
    if not text:
        return None
    if not text.isdecimal() or len(text) > 18:  # noqa: PLR2004  digits of what a column holds
        raise BadRequestError("That page's address is damaged. Go back to the newest.")
    return int(text)


def _choices(request: HttpRequest, visible: list[str], environment: str) -> dict[str, Any]:
    return {
        "environment": environment,
        "visible": visible,
        "tokens": TOKENS,
        "ranges": RANGES,
        "levels": LEVELS,
        "outcomes": SPAN_OUTCOMES,
        "views": SavedView.objects.filter(user=cast(User, request.user), page=PAGE).order_by("name"),
    }


@require_GET
@requires(Role.VIEWER)
def tools(request: HttpRequest) -> HttpResponse:
    """How each agent's tools do."""
    visible = visible_environments(request.user)
    chosen = health_filter_of(request.GET, visible, timezone.now())
    context = {
        "chosen": chosen,
        "environment": chosen.environment,
        "table": tool_table(chosen),
        "counted": COUNTED,
        "indexed_until": indexed_until(),
        "visible": visible,
        "ranges": RANGES,
    }
    return render(request, "traces/tools.html", context)


@require_POST
@requires(Role.VIEWER)
def keep_view(request: HttpRequest) -> HttpResponse:
    """Remember a search under a name."""
    person, query = cast(User, request.user), request.POST.get("query", "")
    view = save_view(
        person=person,
        name=request.POST.get("name", ""),
        query=query,
        page=PAGE,
        fields=(*search_filter.FIELDS, "token"),
    )
    return redirect(f"/traces/?{view.query}")


@require_POST
@requires(Role.VIEWER)
def drop_view(request: HttpRequest, view_id: int) -> HttpResponse:
    """Forget one of one's own searches."""
    remove_view(person=cast(User, request.user), view_id=view_id)
    return redirect("traces")
