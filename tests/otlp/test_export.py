"""A run as a file: whole, for those who may see it, and the same rows in a console that takes it in."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.test import AsyncClient, Client

from agentconsole.rpc_status import JSON, PROTOBUF
from runs.models import PhaseTick, Run, Span, TraceEvent
from runs.queries.shapes import event_shape, run_shape, tick_shape, whole_span_shape
from tests.cast import AgentCaller, make_agent
from tests.ingest.items import AT, LATER, ended, event, new_run, run_finished, run_started, span, tick, whole_run
from tests.otlp.bodies import FOLDERS, captures
from tests.otlp.sending import post
from traces.exporting import streaming

pytestmark = pytest.mark.django_db(transaction=True)

# What is the console's own: its numbers, its clock, and who sends.
OWN = ("seq", "last_seen_at", "actor", "skew_ms", "attributes_left_out", "source", "mapped")


def exported(person: User, run_id: str, **query: str) -> str:
    """The file's text."""

    async def read() -> str:
        client = AsyncClient()
        await client.aforce_login(person)
        answer: Any = await client.get(f"/api/v1/runs/{run_id}/export", query)
        return b"".join([part async for part in answer.streaming_content]).decode()

    return async_to_sync(read)()


def everything(*less: str) -> dict[str, list[Any]]:
    """All rows of all runs, as shapes and without what is the console's own."""
    shapes: list[tuple[Any, Callable[[Any], Any]]] = [
        (Run, run_shape), (PhaseTick, tick_shape), (Span, whole_span_shape), (TraceEvent, event_shape),
    ]  # fmt: skip
    return {
        model.__name__: sorted(
            (
                {name: value for name, value in shape(row).items() if name not in (*OWN, *less)}
                for row in model.objects.all()
            ),
            key=lambda told: str(told["id"]),
        )
        for model, shape in shapes
    }


def rich_run(run: str) -> list[dict[str, Any]]:
    """A run with something in every field."""
    outer = ended(span(run, kind="subagent", name="storage", agent="storage", phase="gather"))
    attempt = {"at": AT, "elapsed_ms": 7, "outcome": "timeout", "message": "no answer"}
    call = span(
        run, parent=outer["id"], arguments={"é": [1]}, result="x" * 20_000, message="slow", retryable=True,
        budget={"soft_ms": 1, "hard_ms": 9}, attempts=[attempt], hint={"fallback_to": "cache", "reason": "down"},
        attributes={"n": 1}, trace_id="a" * 32,
    )  # fmt: skip
    told = {
        "session_id": "s",
        "subject": "slack:dana",
        "on_behalf_of": "dana",
        "query": "why?",
        "attributes": {"k": [None]},
    }
    return [
        run_started(run, trace_id="b" * 32, deadline=LATER, heartbeat_s=3, lease_s=33, **told), tick(run), outer,
        ended(call, "timeout"), span(run, kind="model", name="m"), event(run, level="error", message="m", fields={"f": 1}),
        run_finished(run, status="failed", summary="s", error="e"),
    ]  # fmt: skip


@pytest.fixture(params=[whole_run, rich_run])
def run(request: pytest.FixtureRequest, agent: AgentCaller, monkeypatch: pytest.MonkeyPatch) -> str:
    """A run that is stored, and read two rows at a time."""
    monkeypatch.setattr(streaming, "PAGE", 2)
    made = new_run()
    assert agent.send(*request.param(made)).json()["rejected"] == []
    return made


def elsewhere() -> AgentCaller:
    """The agent of a console that has none of it."""
    Run.objects.all().delete()
    return make_agent("dev", "triage", "elsewhere")


def test_as_otlp_it_is_the_same_rows_elsewhere(run: str, viewer: User):
    before, lines = everything(), exported(viewer, run, format="otlp").splitlines()
    agent = elsewhere()
    for line in lines:
        for path in ("/v1/logs", "/v1/traces"):
            assert post(agent, line.encode(), JSON, path).content == b"{}"
    assert everything() == before


def test_as_json_the_ingest_takes_it(run: str, viewer: User):
    before, document = everything(), json.loads(exported(viewer, run))
    assert (document["format"], document["run"]["id"]) == ("agentconsole.run/1", run)
    assert elsewhere().send(*document["items"]).json()["rejected"] == []
    assert everything() == before


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_run_that_came_as_traces_is_the_same_rows_elsewhere(folder: str, agent: AgentCaller, viewer: User):
    for capture in captures(folder):
        post(agent, capture.body, PROTOBUF, capture.path)
    before = everything("start_received")  # there its start is told
    lines = [line for run in Run.objects.all() for line in exported(viewer, str(run.id), format="otlp").splitlines()]
    agent = elsewhere()
    for line in lines:
        for path in ("/v1/logs", "/v1/traces"):
            assert post(agent, line.encode(), JSON, path).content == b"{}"
    assert everything("start_received") == before


def test_sent_back_to_where_it_came_from_it_changes_nothing(run: str, agent: AgentCaller, viewer: User):
    before = everything()
    for line in exported(viewer, run, format="otlp").splitlines():
        for path in ("/v1/traces", "/v1/logs"):
            post(agent, line.encode(), JSON, path)
    assert everything() == before


def test_other_backends_read_a_tool_call_by_its_conventions(run: str, viewer: User):
    text = exported(viewer, run, format="otlp")
    assert '{"key":"gen_ai.operation.name","value":{"stringValue":"execute_tool"}}' in text
    assert '{"key":"gen_ai.tool.name","value":{"stringValue":"lookup_order"}}' in text


def test_who_may_not_see_the_run_gets_no_file(run: str, stranger: User, sign_in: Any):
    address = f"/api/v1/runs/{run}/export"
    assert sign_in(stranger).get(address).status_code == 404
    assert Client().get(address).status_code == 401
    assert sign_in(stranger).get(address, {"format": "xml"}).status_code == 400


def test_the_page_has_the_links(run: str, viewer: User, sign_in: Any):
    page = sign_in(viewer).get(f"/runs/{run}/").content.decode()
    assert f'href="/api/v1/runs/{run}/export"' in page
    assert f'href="/api/v1/runs/{run}/export?format=otlp"' in page


def test_what_is_not_ours_in_the_same_export_is_stored_beside_it(agent: AgentCaller, viewer: User):
    made = new_run()
    agent.send(*whole_run(made))
    request = json.loads(
        next(line for line in exported(viewer, made, format="otlp").splitlines() if "resourceSpans" in line)
    )
    spans = request["resourceSpans"][0]["scopeSpans"][0]["spans"]
    broken = {**spans[0], "attributes": [{"key": "agentconsole.item", "value": {"stringValue": "{}"}}]}
    other = {**spans[0], "attributes": [], "spanId": "1" * 16, "traceId": "2" * 32}
    spans[:] = [{}, other, broken, spans[0]]
    told = post(elsewhere(), json.dumps(request).encode(), JSON).json()["partialSuccess"]
    assert told["rejectedSpans"] == "2"
    assert Span.objects.count() == 2
