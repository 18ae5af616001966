"""The request context survives every door, and belongs to one thread or task at a time."""

import asyncio
import contextlib
import threading
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentconsole.protocol.context import RequestContext, Transport, bound_context, current_context
from agentconsole.protocol.ids import is_request_id, parse_traceparent

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
FULL = RequestContext(
    request_id="req_1", transport=Transport.SLACK, actor="user:dana", subject="dana", on_behalf_of="lee",
    environment="prod", session_id="s1", trace_id=TRACE, deadline=datetime(2026, 11, 22, 12, tzinfo=UTC),
)  # fmt: skip


def test_an_offered_request_id_is_taken_over():
    assert RequestContext.from_headers({"x-request-id": "abc-1"}, Transport.REST).request_id == "abc-1"


@pytest.mark.parametrize("offered", ["", "a b", "x" * 200, "a\nX-Evil: 1"])
def test_an_insane_request_id_is_replaced_by_a_minted_one(offered: str):
    context = RequestContext.from_headers({"x-request-id": offered}, Transport.REST)
    assert context.request_id.startswith("req_")


def test_the_trace_of_a_traceparent_is_taken_over():
    headers = {"traceparent": f"00-{TRACE}-{SPAN}-01"}
    assert RequestContext.from_headers(headers, Transport.WEB).trace_id == TRACE


@given(st.dictionaries(st.sampled_from(["x-request-id", "traceparent"]), st.text(max_size=300)))
def test_no_headers_make_the_door_break(headers: dict[str, str]):
    assert is_request_id(RequestContext.from_headers(headers, Transport.WEB).request_id)


def test_outgoing_headers_carry_the_request_and_the_trace():
    headers = FULL.to_headers()
    parent = parse_traceparent(headers["traceparent"])
    assert headers["X-Request-ID"] == "req_1"
    assert parent is not None
    assert parent[0] == TRACE


def test_without_a_trace_no_traceparent_is_made_up():
    assert set(RequestContext.mint(Transport.CLI).to_headers()) == {"X-Request-ID"}


@pytest.mark.parametrize("context", [FULL, RequestContext.mint(Transport.SCHEDULE)])
def test_a_task_message_gives_back_the_same_context(context: RequestContext):
    assert RequestContext.from_message(context.to_message()) == context


@pytest.mark.parametrize("fields", [{}, {"request_id": "r"}, {"request_id": "r", "transport": "carrier pigeon"}])
def test_what_is_no_context_message_is_refused(fields: dict[str, str]):
    with pytest.raises((KeyError, ValueError)):
        RequestContext.from_message(fields)


def test_the_actor_comes_with_its_environment():
    known = RequestContext.mint(Transport.REST).with_actor("agent:storage/1", environment="prod")
    assert (known.actor, known.environment) == ("agent:storage/1", "prod")
    assert known.with_actor("user:dana").environment == "prod"


def test_log_lines_carry_what_is_set_and_nothing_else():
    assert RequestContext(request_id="r", transport=Transport.CLI).log_fields() == {
        "request_id": "r",
        "transport": "cli",
    }


def test_a_bound_context_is_current_until_the_block_ends_also_by_an_error():
    with contextlib.suppress(KeyError), bound_context(FULL):
        assert current_context() is FULL
        raise KeyError
    assert current_context() is None


def test_another_thread_has_no_context():
    seen = []
    with bound_context(FULL):
        thread = threading.Thread(target=lambda: seen.append(current_context()))
        thread.start()
        thread.join()
    assert seen == [None]


async def test_tasks_of_one_loop_keep_their_contexts_apart():
    async def work(name: str) -> str:
        with bound_context(RequestContext(request_id=name, transport=Transport.CLI)):
            await asyncio.sleep(0)
            context = current_context()
            assert context is not None
            return context.request_id

    assert tuple(await asyncio.gather(work("a"), work("b"), work("c"))) == ("a", "b", "c")
