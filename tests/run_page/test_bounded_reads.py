"""The page of a run costs the same queries at a hundred spans and at thousands, and none reads more than a page's worth."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.run_page.conftest import Send
from tests.run_page.story import wide_run

TABS = {"timeline": 100, "tokens": 200, "agents": 25}


def pages(browser: Client, send: Send, tab: str) -> list[tuple[int, int]]:
    """Queries and rows of the same page over a small and a large run."""
    found = []
    for spans in (150, 3000):
        story = wide_run(timezone.now() - timedelta(minutes=5), spans)
        run = send(story, story.until(1e9))
        with CaptureQueriesContext(
            connection,
        ) as queries:
            response = browser.get(f"/runs/{run.id}/?tab={tab}")
        page = response.context["page"]
        rows = getattr(page, {"timeline": "rows", "tokens": "events", "agents": "invocations"}[tab])
        found.append((len(queries), len(rows)))
    return found


@pytest.mark.parametrize("tab", TABS)
def test_queries_do_not_grow_with_the_run(browser, send, tab):
    (few, _), (many, rows) = pages(browser, send, tab)
    assert few == many <= 18
    assert rows <= TABS[tab] + 10
