"""The console's own ingest takes every item that the SDK makes, whatever agents put into them."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentconsole.protocol.context import RequestContext, Transport
from agentconsole.protocol.envelope import Attempt, Budget, Hint, Outcome
from agentconsole.protocol.ids import new_span_id, uuid7
from agentconsole.sdk import Console, ToolDegraded, items
from agentconsole.sdk.payload import prepare, prepare_name
from runs.ingest.apply import prepare as store_prepare
from runs.ingest.wire import Beat, Startup, read_item
from tests.cast import AgentCaller
from tests.sdk.receiver import Receiver
from tests.sdk.test_payload import anything

RUN = str(uuid7())
texts = st.text(st.characters(), max_size=300) | st.text("\0\ud800é\n ", min_size=200, max_size=3_000)
structures = st.dictionaries(texts, anything, max_size=5)


def read_by_the_console(item: items.Item) -> None:
    """As over the wire: encoded, validated, cleaned."""
    read = read_item(json.loads(json.dumps(item, allow_nan=False).encode()))
    if not isinstance(read, Startup | Beat):
        store_prepare(0, read)


@given(texts, texts, texts, structures)
def test_any_event_is_read(token: str, level: str, message: str, fields: dict[str, Any]):
    read_by_the_console(items.event(RUN, "req-1", token, level=level, message=message, fields=fields))


@given(texts, texts)
def test_any_tick_is_read(phase: str, detail: str):
    name = prepare_name(phase, 100)
    read_by_the_console(items.tick(RUN, "req-1", phase=name, state="alive", detail=detail))


@given(texts, texts, structures, st.floats(0.1, 86_400))
def test_any_start_and_end_of_a_run_are_read(text: str, other: str, attributes: dict[str, Any], beat_s: float):
    context = RequestContext("req-1", Transport.CLI, subject=text, on_behalf_of=other, session_id=text)
    read_by_the_console(
        items.run_started(
            RUN, datetime.now(UTC), context, query=text, heartbeat_s=beat_s, lease_s=beat_s, attributes=attributes
        )
    )
    read_by_the_console(items.run_finished(RUN, "req-1", status="failed", summary=text, error=other))


@given(texts, texts, anything, anything, structures)
def test_any_span_is_read(name: str, reason: str, arguments: Any, result: Any, attributes: dict[str, Any]):
    now = datetime.now(UTC)
    state = items.SpanFields(RUN, new_span_id(), "tool", prepare_name(name), now, budget=Budget(1, 2))
    state.arguments, state.attributes = prepare(arguments, "arguments"), attributes
    read_by_the_console(items.span(state))
    state.ended_at, state.outcome, state.elapsed_ms = now, "degraded", 3
    state.result, state.hint = prepare(result, "result"), Hint(name, reason)
    state.attempts = (Attempt(now.isoformat(), 3, Outcome.DEGRADED, "HTTP 503"),) * 150
    read_by_the_console(items.span(state))


@given(st.lists(texts, max_size=5), st.dictionaries(texts, texts, max_size=5), texts)
def test_any_startup_is_read(names: list[str], missing: dict[str, str], version: str):
    read_by_the_console(items.agent_startup(expected=names * 200, loaded=names, missing=missing, version=version))


def test_a_deadline_far_ahead_does_not_cost_the_run_its_start():
    context = RequestContext("req-1", Transport.CLI, deadline=datetime(2999, 1, 1, tzinfo=UTC))
    read_by_the_console(
        items.run_started(RUN, datetime.now(UTC), context, query="", heartbeat_s=1, lease_s=1, attributes={})
    )


@pytest.mark.django_db
def test_a_whole_story_is_stored_without_a_refusal(console: Console, receiver: Receiver, agent: AgentCaller):
    def shaky() -> None:
        raise ToolDegraded("503")

    console.startup(expected=["a", "b"], loaded=["a"], version="1")
    with console.run(query="why", transport="slack", subject="dana", deadline_s=60, attributes={"team": "sre"}) as run:
        with run.phase("gather") as phase, run.subagent("storage", query="disks?") as sub:
            phase.alive("half way")
            sub.call(shaky, fallback=("cache", "stale but there"))
            sub.call(lambda: "x" * 100_000, name="giant")
            sub.result("two are full")
        run.finish("succeeded", summary="done")
    console.flush()
    answer = agent.send(*receiver.history).json()
    assert answer["rejected"] == []
    assert answer["accepted"] + answer["duplicates"] == len(receiver.history)
    cut = _stored_span(run.run_id, "giant").cut["result"]
    assert (cut["chars"], cut["left_out"] > 80_000) == (100_000, True)


def _stored_span(run_id: str, name: str) -> Any:
    from runs.models import Span

    return Span.objects.get(run_id=run_id, name=name)
