"""The search box: paste any ID."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from runs.access import Role, requires, visible_environments
from runs.queries.search import SHORTEST_PREFIX, Found, search

LONGEST = 200


@require_GET
@requires(Role.VIEWER)
def search_page(request: HttpRequest) -> HttpResponse:
    """One hit: there at once. Several, or none: a list that says so."""
    text = request.GET.get("q", "").strip()[:LONGEST]
    found = search(text, visible_environments(request.user)) if text else Found([])
    if found.only_path:
        return redirect(found.only_path)
    context = {"text": text, "found": found, "is_short": 0 < len(text) < SHORTEST_PREFIX}
    return render(request, "runs/search.html", context)
