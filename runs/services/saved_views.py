"""A person's saved views: of the run list, of the explorer."""

from collections.abc import Sequence

from django.contrib.auth.models import User
from django.http import QueryDict

from agentconsole.errors import BadRequestError
from runs.models import SavedView
from runs.queries.run_filter import FIELDS

VIEWS_A_PERSON = 30
NAME_MAX = 60


def save_view(*, person: User, name: str, query: str, page: str = "runs", fields: Sequence[str] = FIELDS) -> SavedView:
    """Keep those of `query` that are among the page's `fields` under a name; the same name again means the new ones. BadRequestError."""
    name = name.strip()
    if not name or len(name) > NAME_MAX:
        raise BadRequestError(f"A view needs a name of 1 to {NAME_MAX} characters.")
    known = SavedView.objects.filter(user=person, page=page)
    if SavedView.objects.filter(user=person, name=name).exclude(page=page).exists():
        raise BadRequestError(f"You have a view {name} on another page. Choose another name.")
    if known.exclude(name=name).count() >= VIEWS_A_PERSON:
        raise BadRequestError(f"You have {VIEWS_A_PERSON} views. Remove one first.")
    kept = QueryDict(mutable=True)
    asked = QueryDict(query)
    for field in fields:
        if asked.get(field):
            kept[field] = asked[field]
    view, _ = known.update_or_create(user=person, page=page, name=name, defaults={"query": kept.urlencode()[:2000]})
    return view


def remove_view(*, person: User, view_id: int) -> None:
    """Forget one of the person's own views; another person's is left alone."""
    SavedView.objects.filter(user=person, id=view_id).delete()
