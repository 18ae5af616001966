"""No label carries an id, a person or a payload, whatever happens; names and units are told the same way everywhere."""

import re

import pytest
from django.test import Client

from agentconsole import metrics
from approvals.models import Verdict
from approvals.services.claiming import consume_action
from tests.approvals.asking import ask_for, decide
from tests.cast import AgentCaller, make_person
from tests.ingest.items import ended, new_run, run_started, span, whole_run
from tests.live.conftest import browser
from tests.metrics.scraping import scrape

ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}|[0-9a-f]{16}|req[_-]|[0-9]{6,}\b(?!\.[0-9])", re.IGNORECASE)
LABELS = re.compile(r"\{(.*)\}")
UNITS = ("_total", "_seconds", "_bytes")
WITHOUT_UNIT = {"agentconsole_live_sockets", "agentconsole_approval_polls"}


def a_day(agent: AgentCaller, viewer: Client, operator) -> None:
    """Runs, pages, searches, decisions and mistakes, full of ids and names."""
    run = new_run()
    agent.send(*whole_run(run), run_started(new_run(), request_id="req_secretive", subject="slack:Dana"))
    agent.send(
        ended(span(run, name=f"tool-{run}")), ended(span(run, name="order 4711-0815-99")), **{"X-Request-ID": run}
    )
    for path in (
        f"/runs/{run}/",
        f"/r/req_secretive?q={run}",
        f"/nothing/{run}",
        f"/api/v1/runs/{run}/log",
        f"/%00{run}",
    ):
        viewer.get(path, headers={"X-Request-ID": "req_secretive"})
    action = decide(operator, ask_for(agent, {"who": "Dana", "id": run}))
    consume_action(instance=agent.instance, action_id=action.id, idempotency_key=run)
    decide(operator, ask_for(agent), Verdict.DENY, note="says omar")


@pytest.mark.django_db(transaction=True)
async def test_no_label_carries_an_id_or_a_person(agent: AgentCaller, signed_in: Client) -> None:
    from channels.db import database_sync_to_async

    operator = await database_sync_to_async(make_person)("omar", "operator")
    await database_sync_to_async(a_day)(agent, signed_in, operator)
    async with browser(signed_in):
        text = (await scrape()).text
    lines = [line for line in text.splitlines() if line.startswith("agentconsole_")]
    labels = [found[1] for line in lines if (found := LABELS.search(line))]
    assert len(labels) > 100
    assert [told for told in labels if ID.search(told)] == []
    people = re.compile(r"vera|omar|dana|triage|secretive|4711", re.IGNORECASE)
    assert [told for told in labels if people.search(told)] == []
    assert any('by="person"' in told for told in labels)


def test_only_so_many_tools_have_a_name() -> None:
    names = metrics.Names(2)
    told = [names.label_of(name) for name in ("search", "restart", "search", "third", "restart")]
    assert told == ["search", "restart", "search", "other", "restart"]


@pytest.mark.parametrize("name", ["fetch 0199ad3e", "user-12345", "a\nb", 'q"x', "x" * 65, "dana@example.org"])
def test_a_tool_named_after_an_id_has_none(name: str) -> None:
    assert metrics.Names(9).label_of(name) == "other"


def test_each_metric_says_what_it_is_and_in_which_unit() -> None:
    for family in metrics.DECLARED.collect():
        name = f"{family.name}_total" if family.type == "counter" else family.name
        assert name.startswith("agentconsole_")
        assert name.endswith(UNITS) or name in WITHOUT_UNIT
        assert family.documentation.endswith(".")
