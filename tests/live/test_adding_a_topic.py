"""An app adds a list of what changed: which rows, how one is told, and who may hear it."""

import json
from typing import Any, ClassVar

import pytest
from channels.db import database_sync_to_async
from django.db.models import QuerySet
from django.test import Client
from django.utils import timezone

from agentconsole import live
from agentconsole.errors import NotFoundError
from agentconsole.live import source
from agentconsole.protocol.ids import uuid7
from agentconsole.protocol.times import iso
from runs.models import Run
from tests.live.busy_run import ingest, started
from tests.live.conftest import browser

pytestmark = pytest.mark.django_db(transaction=True)


class AskedTopic(live.SettledTopic):
    """What the runs of an environment were asked."""

    part: ClassVar[str] = "asked"
    change_column: ClassVar[str] = "summary_seq"

    def rows(self) -> QuerySet[Run]:
        return Run.objects.filter(environment_id=self.environment)

    def shape_of(self, row: Run) -> dict[str, Any]:
        return {"id": str(row.id)}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The topic `asked:…`, of which people may hear that of `dev`."""

    def environment_of(_person: Any, name: str) -> str:
        if name != "asked:dev":
            raise NotFoundError("Not for you.")
        return "dev"

    monkeypatch.setattr(source, "_kinds", dict(source._kinds))
    live.register_topic("asked", AskedTopic, environment_of=environment_of)


def test_its_frames_call_the_rows_by_its_own_name(agent) -> None:
    topic = AskedTopic("asked:dev")
    cursor = topic.start(iso(timezone.now()))
    run_id = uuid7()
    ingest(agent, [started(run_id)])
    page = topic.read(cursor, None)
    assert json.loads(page.text) == {"topic": "asked:dev", "seq": page.cursor, "asked": [{"id": str(run_id)}]}


async def test_a_browser_hears_it_where_the_app_says_so(asked, agent, signed_in: Client) -> None:
    async with browser(signed_in) as page:
        for name in ("asked:prod", "unheard:dev"):
            await page.subscribe(name, timezone.now().isoformat())
            refused = await page.receive()
            assert (refused["topic"], refused["error"]["code"]) == (name, "not_found")
        await page.subscribe("asked:dev", timezone.now().isoformat())
        await page.until_live("asked:dev")
        await database_sync_to_async(ingest)(agent, [started(uuid7())])
        assert await page.receive_until(lambda message: "asked" in message)
