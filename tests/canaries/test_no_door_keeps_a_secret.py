"""A secret in any field of any door is in no row, no log line and on no page; incidents name where it came from."""

import io
import json
import time
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client

from agentconsole.rpc_status import JSON
from runs.models import Run
from tests.canaries.planting import KINDS, Plants, native_items, otlp_export, rows
from tests.cast import AgentCaller
from tests.otlp.sending import post
from traces.models import LeakIncident, LeakSource
from traces.services.indexing import index_log

SignIn = Callable[[User], Client]
PAGES = (
    "/runs/", "/runs/{}/", "/runs/{}/?tab=tokens", "/runs/{}/?tab=agents", "/traces/?q=canary", "/traces/tools/",
    "/traces/leaks/", "/agents/dev/triage/",
)  # fmt: skip


def everywhere(client: Client, log: io.StringIO) -> list[str]:
    """Rows, log lines and pages."""
    index_log()
    paths = [path.format(run_id) for path in PAGES for run_id in Run.objects.values_list("id", flat=True)]
    pages = [client.get(path).content.decode() for path in paths]
    return [*rows(), log.getvalue(), *pages]


@pytest.mark.parametrize("kind", KINDS)
def test_native_items(kind: str, agent: AgentCaller, admin: User, sign_in: SignIn, log: io.StringIO):
    plant = Plants(kind)
    answer = agent.send(*native_items(plant))
    assert answer.json()["rejected"] == []
    assert plant.found_in([answer.content.decode(), *everywhere(sign_in(admin), log)]) == []
    sources = set(LeakSource.objects.values_list("place", flat=True))
    assert {"query", "message", "result", "summary", "error", "detail"} <= {
        place.partition(".")[0] for place in sources
    }


@pytest.mark.parametrize("kind", KINDS)
def test_exports(kind: str, agent: AgentCaller, admin: User, sign_in: SignIn, log: io.StringIO):
    plant = Plants(kind)
    spans, logs = otlp_export(plant, time.time_ns())
    answers = [
        post(agent, json.dumps(body).encode(), JSON, path) for body, path in ((spans, "/v1/traces"), (logs, "/v1/logs"))
    ]
    assert [answer.status_code for answer in answers] == [200, 200]
    told = [answer.content.decode() for answer in answers]
    assert plant.found_in([*told, *everywhere(sign_in(admin), log)]) == []
    assert LeakSource.objects.filter(door="otlp", agent__name="triage").exists()
    assert LeakIncident.objects.count() > len(plant.places) / 3


def test_ids_that_are_secrets(agent: AgentCaller, admin: User, sign_in: SignIn, log: io.StringIO):
    plant = Plants("token")
    run, *_ = native_items(Plants("token"))
    agent.send({**run, "request_id": plant("request_id")}, **{"X-Request-ID": plant("header")})
    client = sign_in(admin)
    client.get("/runs/", headers={"X-Request-ID": plant("page header")})
    client.get(f"/r/{plant('path')}")
    client.get(f"/traces/?q={plant('search')}")
    client.get(f"/api/v1/nothing/{plant('api path')}?x={plant('query string')}")
    assert plant.found_in([*rows(), log.getvalue()]) == []
    assert Run.objects.get().request_id.startswith("redacted")


def test_a_refused_item_says_nothing_of_what_it_held(agent: AgentCaller, log: io.StringIO):
    plant = Plants("token")
    wrong = [{"type": plant("type")}, {"type": "tick", "id": plant("id"), "run": plant("run"), "state": plant("state")}]
    answer = agent.send(*wrong, {"type": "event", "token": plant("token"), "at": plant("at")})
    said = log.getvalue()
    assert "INGEST_ITEM_REJECTED" in said
    assert plant.found_in([answer.content.decode(), *rows(), said]) == []
