"""A person keeps filters of the run list under a name."""

from collections.abc import Callable

from django.contrib.auth.models import User
from django.test import Client

from runs.models import SavedView
from runs.services.saved_views import VIEWS_A_PERSON
from tests.pages.reading import html_of

SignIn = Callable[[User], Client]


def save(client: Client, name: str, query: str) -> int:
    return client.post("/runs/views/", {"name": name, "query": query}).status_code


def test_a_view_is_saved_shown_and_removed(viewer: User, sign_in: SignIn):
    client = sign_in(viewer)
    assert save(client, "prod failures", "status=failed&environment=prod") == 302
    view = SavedView.objects.get()
    assert f'href="/runs/?{view.query}"'.replace("&", "&amp;") in html_of(client.get("/runs/"))
    client.post(f"/runs/views/{view.id}/remove")
    assert not SavedView.objects.exists()


def test_only_filters_are_kept_of_a_query(viewer: User, sign_in: SignIn):
    save(sign_in(viewer), "odd", "status=failed&before=20260101T000000.0_0&next=//evil.example&agent=")
    assert SavedView.objects.get().query == "status=failed"


def test_the_same_name_again_means_the_new_filters(viewer: User, sign_in: SignIn):
    save(sign_in(viewer), "mine", "status=failed")
    save(sign_in(viewer), "mine", "status=stalled")
    assert [view.query for view in SavedView.objects.all()] == ["status=stalled"]


def test_a_view_belongs_to_one_person(viewer: User, operator: User, sign_in: SignIn):
    save(sign_in(viewer), "mine", "status=failed")
    view = SavedView.objects.get()
    sign_in(operator).post(f"/runs/views/{view.id}/remove")
    assert SavedView.objects.filter(id=view.id).exists()
    assert "mine" not in html_of(sign_in(operator).get("/runs/"))


def test_a_view_needs_a_name_and_there_is_a_limit(viewer: User, sign_in: SignIn):
    client = sign_in(viewer)
    assert save(client, " ", "status=failed") == 400
    for number in range(VIEWS_A_PERSON):
        assert save(client, f"view {number}", "status=failed") == 302
    assert save(client, "one more", "status=failed") == 400


def test_a_view_is_not_saved_without_the_csrf_token(viewer: User):
    client = Client(enforce_csrf_checks=True)
    client.force_login(viewer)
    assert save(client, "mine", "status=failed") == 403
