"""A run that was sent through the ingest, and a browser of a person who may look at it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from runs.models import Run
from tests.cast import AgentCaller
from tests.run_page.story import Story, batches, rich_run

Send = Callable[[Story, list[dict[str, Any]]], Run]


@pytest.fixture
def browser(viewer: User, sign_in: Callable[[User], Client]) -> Client:
    """vera, signed in."""
    return sign_in(viewer)


@pytest.fixture
def send(agent: AgentCaller) -> Send:
    """Sends items of a story as triage in dev; the run that they make."""

    def sent(story: Story, items: list[dict[str, Any]]) -> Run:
        for batch in batches(items):
            assert agent.send(*batch).json()["rejected"] == []
        return Run.objects.select_related("agent", "instance").get(id=story.run_id)

    return sent


@pytest.fixture
def story() -> Story:
    """A run of 90 s that began ten minutes ago."""
    return rich_run(timezone.now() - timedelta(minutes=10))


@pytest.fixture
def run(story: Story, send: Send) -> Run:
    """It, all of it."""
    return send(story, story.until(1000))
